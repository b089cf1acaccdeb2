import type { Diagnostic } from '../diagnostic/index.ts';
import type { BuildFile, BuildSpec, Definition, FinalizeFile } from '../spec/index.ts';

/** One package of a tree. */
export interface TreePackage {
  readonly definition: Definition;
  /** `category/name-version`, unique in a tree. */
  readonly key: string;
  /** Absolute path of the package's folder, which is also its build context. */
  readonly folder: string;
  /** The root of its tree, as given. */
  readonly tree: string;
  /** The root as an absolute path without symbolic links. */
  readonly root: string;
  /** Undefined if the folder has no `build.yaml` or it is invalid. */
  readonly build?: BuildSpec;
  /** The text of `build.yaml` after rendering. */
  readonly rendered?: string;
  /** Path of `build.yaml` as shown to users, if the folder has one, valid or not. */
  readonly buildFile?: string;
  /** Path of `finalize.yaml` as shown to users, if the folder has one. */
  readonly finalizeFile?: string;
  /** Absolute path of the `Dockerfile` that builds it, if any. */
  readonly dockerfile?: string;
  /** Errors of its definition and build spec, which prevent building it. Usually empty. */
  readonly errors: readonly Diagnostic[];
  /**
   * For subpackages only: the main package, whose finished files it is cut from. Subpackages have no build
   * spec.
   */
  readonly cutFrom?: TreePackage;
}

/** A rendered `finalize.yaml` and its problems. */
export interface TreeFinalizer extends FinalizeFile {
  /** The text after rendering; undefined if rendering failed. */
  readonly rendered?: string;
}

/** An index of packages. */
export interface PackageIndex {
  /** Sorted by category, name, then version, oldest first. */
  readonly packages: readonly TreePackage[];
  /** The packages with this `category/name`, newest version first. */
  byName(categoryAndName: string): readonly TreePackage[];
  /** The package with this `category/name-version`. */
  byKey(key: string): TreePackage | undefined;
  /** All `category/name` that exist. */
  names(): Iterable<string>;
}

/** All packages with a definition, of one or more trees. */
export interface Tree extends PackageIndex {
  /** All problems found while reading, sorted. */
  readonly diagnostics: readonly Diagnostic[];
  /**
   * The errors in `diagnostics` that belong to no package in `packages`: unreadable files and folders, whose
   * packages are missing, and errors of shared templates and values files.
   */
  readonly unassigned: readonly Diagnostic[];
  /** The errors in `diagnostics` that may hide subpackages, so that `runtime` may not be complete. */
  readonly hiding: readonly Diagnostic[];
  /** All packages that exist at run time: packages with a definition, and subpackages. */
  readonly runtime: PackageIndex;
  /** The main package of a subpackage, given by `category/name-version`. Undefined for other packages. */
  ownerOf(key: string): TreePackage | undefined;
  /** Reads a package's `build.yaml` as if the package had another version. Undefined if it has none. */
  withVersion(pack: TreePackage, version: string): Promise<BuildFile | undefined>;
  /** Renders and reads a package's `finalize.yaml`. Undefined if it has none. */
  finalizer(pack: TreePackage): Promise<TreeFinalizer | undefined>;
}

/** Options of `loadTrees`. */
export interface LoadOptions {
  /** Working directory: roots and values files are relative to it, and places are shown relative to it. */
  readonly cwd: string;
  /** Paths of `--values` files; later ones override earlier ones. */
  readonly values?: readonly string[];
  /** Whether a folder with a `Dockerfile` and no definition is a package too. */
  readonly dockerfiles?: boolean;
  /** The current time for templates. Default: 1970-01-01. */
  readonly now?: Date;
  /** The environment variables for templates. Default: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}
