import type { Place } from '../diagnostic/index.ts';
import { type PackageId, type PackageRef, packageName } from '../spec/index.ts';
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

// A getter on a prototype costs nothing for each of the very many forms and packages; one in a literal costs a function.
class Form implements ViewRequirement {
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
}

/** A package form as solving takes it. */
export function requirement(ref: PackageRef): ViewRequirement {
  return new Form(ref);
}

interface Relations {
  readonly requires: readonly PackageRef[];
  readonly conflicts: readonly PackageRef[];
  readonly provides: readonly PackageRef[];
}

/** Most packages have no conflicts and provide nothing; one empty list is enough for all of them. */
const NONE: readonly ViewRequirement[] = [];

const NO_REFS: readonly PackageRef[] = [];

const requirements = (refs: readonly PackageRef[]): readonly ViewRequirement[] =>
  refs.length === 0 ? NONE : refs.map(requirement);

// Of most packages of a large tree, a request never gets to see what they require.
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

/** Whether a package is there at build time: it has a `build.yaml`, readable or not, or a `Dockerfile`. */
export function isBuildable(pack: TreePackage): boolean {
  return pack.buildFile !== undefined || pack.dockerfile !== undefined;
}

/** What a package provides at build time: what `build.yaml` says or, where it has no `provides`, the definition. */
export function buildProvides(pack: TreePackage): readonly PackageRef[] {
  return pack.build?.provides ?? pack.definition.provides;
}

/** Every package as it is at run time, by what its definition says; subpackages by what is said where they are cut. */
export function runtimeCandidates(tree: Pick<Tree, 'runtime'>): readonly ViewCandidate[] {
  return tree.runtime.packages.map(runtimeCandidate);
}

/** One package as it is at run time. */
export function runtimeCandidate({ key, definition }: TreePackage): ViewCandidate {
  return new ViewPackage(key, definition, definition, definition);
}

/** Every package that has a `build.yaml`, as it is at build time. */
export function buildtimeCandidates(tree: Pick<Tree, 'packages'>): readonly ViewCandidate[] {
  return tree.packages.filter(isBuildable).map(buildtimeCandidate);
}

/** One package as it is at build time. Where its `build.yaml` cannot be read, it requires nothing. */
export function buildtimeCandidate(pack: TreePackage): ViewCandidate {
  const { build, definition } = pack;
  const { requires = NO_REFS, conflicts = NO_REFS } = build ?? {};
  const relations = { requires, conflicts, provides: buildProvides(pack) };
  return new ViewPackage(pack.key, definition, relations, build ?? definition);
}
