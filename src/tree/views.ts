import type { Place } from '../diagnostic/index.ts';
import { type PackageId, type PackageRef, packageName } from '../spec/index.ts';
import type { Tree, TreePackage } from './types.ts';

/** A requirement as the solver takes it. */
export interface ViewRequirement {
  /** `category/name`. */
  readonly name: string;
  readonly selector: string;
  /** `file:line` of the requirement. Computed on demand, for explanations only. */
  readonly origin: string;
  /** The same with its column; likewise. */
  readonly place: Place;
}

/** A package as the solver takes it. */
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

/** Formats a place as `file:line`. */
export function originText({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`;
}

// A class, because a getter in an object literal would need one function object for each of the many forms
// and packages.
class ViewForm implements ViewRequirement {
  readonly name: string;
  readonly selector: string;
  readonly #ref: PackageRef;

  constructor(ref: PackageRef) {
    this.name = packageName(ref);
    this.selector = ref.selector;
    this.#ref = ref;
  }

  get origin(): string {
    return originText(this.#ref.place);
  }

  get place(): Place {
    return this.#ref.place;
  }
}

/** Converts a package reference to a requirement. */
export function requirement(ref: PackageRef): ViewRequirement {
  return new ViewForm(ref);
}

interface Relations {
  readonly requires: readonly PackageRef[];
  readonly conflicts: readonly PackageRef[];
  readonly provides: readonly PackageRef[];
}

/** Shared by all packages without conflicts or provides, to save memory. */
const NONE: readonly ViewRequirement[] = [];

const NO_REFS: readonly PackageRef[] = [];

const requirements = (refs: readonly PackageRef[]): readonly ViewRequirement[] =>
  refs.length === 0 ? NONE : refs.map(requirement);

// Converts requirements on demand: in a large tree, the solver never looks at those of most packages.
class ViewPackage implements ViewCandidate {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly provides: readonly ViewRequirement[];
  readonly #relations: Relations;
  readonly #placed: { readonly place: Place };
  #requires: readonly ViewRequirement[] | undefined;
  #conflicts: readonly ViewRequirement[] | undefined;

  constructor(id: string, pack: PackageId, relations: Relations, placed: { readonly place: Place }) {
    this.id = id;
    this.name = packageName(pack);
    this.version = pack.version;
    this.provides = requirements(relations.provides);
    this.#relations = relations;
    this.#placed = placed;
  }

  get requires(): readonly ViewRequirement[] {
    this.#requires ??= requirements(this.#relations.requires);
    return this.#requires;
  }

  get conflicts(): readonly ViewRequirement[] {
    this.#conflicts ??= requirements(this.#relations.conflicts);
    return this.#conflicts;
  }

  get origin(): string {
    return originText(this.#placed.place);
  }
}

/** Whether a package can be built: it has a `build.yaml`, valid or not, or a `Dockerfile`. */
export function isBuildable(pack: TreePackage): boolean {
  return pack.buildFile !== undefined || pack.dockerfile !== undefined;
}

/** What a package provides at build time: `provides` of `build.yaml` or, without it, of the definition. */
export function buildProvides(pack: TreePackage): readonly PackageRef[] {
  return pack.build?.provides ?? pack.definition.provides;
}

/** All packages as candidates for the run-time view, from their definitions. Subpackages are included. */
export function runtimeCandidates(tree: Pick<Tree, 'runtime'>): readonly ViewCandidate[] {
  return tree.runtime.packages.map(runtimeCandidate);
}

/** A package as a candidate for the run-time view. */
export function runtimeCandidate({ key, definition }: TreePackage): ViewCandidate {
  return new ViewPackage(key, definition, definition, definition);
}

/** All packages with a `build.yaml`, as candidates for the build-time view. */
export function buildtimeCandidates(tree: Pick<Tree, 'packages'>): readonly ViewCandidate[] {
  return tree.packages.filter(isBuildable).map(buildtimeCandidate);
}

/** A package as a candidate for the build-time view. It requires nothing if its `build.yaml` is invalid. */
export function buildtimeCandidate(pack: TreePackage): ViewCandidate {
  const { build, definition } = pack;
  const { requires = NO_REFS, conflicts = NO_REFS } = build ?? {};
  const relations = { requires, conflicts, provides: buildProvides(pack) };
  return new ViewPackage(pack.key, definition, relations, build ?? definition);
}
