import type { Place } from '../diagnostic/index.ts';
import { formatPackage, type PackageId, type PackageRef, packageName } from '../spec/index.ts';
import type { Tree, TreePackage } from './types.ts';

/** A package form as solving takes it. */
export interface ViewRequirement {
  /** `category/name`. */
  readonly name: string;
  readonly selector: string;
  /** `file:line`, worked out when an explanation asks for it. */
  readonly origin: string;
}

/** A package as solving takes it. */
export interface ViewCandidate {
  /** The package's key in its tree. */
  readonly id: string;
  /** `category/name`. */
  readonly name: string;
  readonly version: string;
  readonly requires: readonly ViewRequirement[];
  readonly conflicts: readonly ViewRequirement[];
  readonly provides: readonly ViewRequirement[];
  readonly origin: string;
}

/** A place as `file:line`. */
export function originText({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`;
}

/** A package form as solving takes it. */
export function requirement(ref: PackageRef): ViewRequirement {
  return {
    name: packageName(ref),
    selector: ref.selector,
    get origin() {
      return originText(ref.place);
    },
  };
}

interface Relations {
  readonly requires: readonly PackageRef[];
  readonly conflicts: readonly PackageRef[];
  readonly provides: readonly PackageRef[];
}

function candidate(id: string, pack: PackageId, relations: Relations, place: () => Place): ViewCandidate {
  return {
    id,
    name: packageName(pack),
    version: pack.version,
    requires: relations.requires.map(requirement),
    conflicts: relations.conflicts.map(requirement),
    provides: relations.provides.map(requirement),
    get origin() {
      return originText(place());
    },
  };
}

/** Whether a package is there at build time: it has a `build.yaml`, readable or not, or a `Dockerfile`. */
export function isBuildable(pack: TreePackage): boolean {
  return pack.buildFile !== undefined || pack.dockerfile !== undefined;
}

/** What a package provides at build time: what `build.yaml` says or, where it has no `provides`, the definition. */
export function buildProvides(pack: TreePackage): readonly PackageRef[] {
  return pack.build?.provides ?? pack.definition.provides;
}

/** Every package as it is at run time, by what its definition says. */
export function runtimeCandidates(tree: Pick<Tree, 'packages'>): readonly ViewCandidate[] {
  return tree.packages.map(runtimeCandidate);
}

/** One package as it is at run time. */
export function runtimeCandidate({ key, definition }: TreePackage): ViewCandidate {
  return candidate(key, definition, definition, () => definition.place);
}

/**
 * Subpackages, as they are at run time, that no definition describes as well: building the package that they are
 * cut from makes them installable. The id is their own `category/name-version`.
 */
export function subpackageCandidates(tree: Tree): readonly ViewCandidate[] {
  const found = new Map<string, ViewCandidate>();
  for (const { build } of tree.packages) {
    for (const subpackage of build?.subpackages ?? []) {
      const id = formatPackage(subpackage);
      if (tree.byKey(id) !== undefined || found.has(id)) continue;
      found.set(
        id,
        candidate(id, subpackage, subpackage, () => subpackage.place),
      );
    }
  }
  return [...found.values()];
}

/** Every package that has a `build.yaml`, as it is at build time. */
export function buildtimeCandidates(tree: Pick<Tree, 'packages'>): readonly ViewCandidate[] {
  return tree.packages.filter(isBuildable).map(buildtimeCandidate);
}

/** One package as it is at build time. Where its `build.yaml` cannot be read, it requires nothing. */
export function buildtimeCandidate(pack: TreePackage): ViewCandidate {
  const { requires = [], conflicts = [] } = pack.build ?? {};
  const relations = { requires, conflicts, provides: buildProvides(pack) };
  return candidate(pack.key, pack.definition, relations, () => pack.build?.place ?? pack.definition.place);
}
