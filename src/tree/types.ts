import type { Diagnostic } from '../diagnostic/index.ts';
import type { BuildFile, BuildSpec, Definition, FinalizeFile } from '../spec/index.ts';

/** One package found in a tree. */
export interface TreePackage {
  readonly definition: Definition;
  /** `category/name-version`, which is how people write it; unique in a tree. */
  readonly key: string;
  /** Absolute path of the folder that makes the package: its build context. */
  readonly folder: string;
  /** The root that it was found under, as given. */
  readonly tree: string;
  /** That root, absolute and free of symbolic links. */
  readonly root: string;
  /** Undefined where the folder has no `build.yaml`, or where that cannot be read. */
  readonly build?: BuildSpec;
  /** The text of `build.yaml` after rendering. */
  readonly rendered?: string;
  /** `build.yaml` as it is shown, where the folder has one, whether it can be read or not. */
  readonly buildFile?: string;
  /** `finalize.yaml` as it is shown, where the folder has one. */
  readonly finalizeFile?: string;
  /** Absolute path of the `Dockerfile` that builds it, where one does. */
  readonly dockerfile?: string;
  /** What is wrong in its definition and its build spec, so that it cannot be built: errors alone, mostly none. */
  readonly errors: readonly Diagnostic[];
  /** The package whose finished files it is cut from: there for subpackages alone. They have no build spec of their own. */
  readonly cutFrom?: TreePackage;
}

/** A rendered `finalize.yaml`, and everything wrong with it. */
export interface TreeFinalizer extends FinalizeFile {
  /** Its text after rendering; undefined where that failed. */
  readonly rendered?: string;
}

/** Packages that can be looked up. */
export interface PackageIndex {
  /** Ordered by category, name, then version, oldest first. */
  readonly packages: readonly TreePackage[];
  /** The packages of one `category/name`, newest version first. */
  byName(categoryAndName: string): readonly TreePackage[];
  /** The package of that `category/name-version`. */
  byKey(key: string): TreePackage | undefined;
  /** Every `category/name` that there is. */
  names(): Iterable<string>;
}

/** Every package of one or more trees, read once: those that have a definition. */
export interface Tree extends PackageIndex {
  /** Everything found while reading, sorted. */
  readonly diagnostics: readonly Diagnostic[];
  /**
   * The errors among `diagnostics` that belong to no package: files and folders that could not be read, and whose packages
   * are therefore not among `packages`; shared templates and values files.
   */
  readonly unassigned: readonly Diagnostic[];
  /** The errors among `diagnostics` because of which subpackages may be missing from `runtime`. */
  readonly hiding: readonly Diagnostic[];
  /** Every package that there is at run time: those that have a definition, and subpackages. */
  readonly runtime: PackageIndex;
  /** The package that the package of that `category/name-version` is cut from; undefined where that is no subpackage. */
  ownerOf(key: string): TreePackage | undefined;
  /** A package's `build.yaml` as it is when the package has another version; undefined where it has none. */
  withVersion(pack: TreePackage, version: string): Promise<BuildFile | undefined>;
  /** A package's `finalize.yaml`, rendered and read when it is asked for; undefined where it has none. */
  finalizer(pack: TreePackage): Promise<TreeFinalizer | undefined>;
}

/** How trees are read. */
export interface LoadOptions {
  /** The folder against which roots and values files are resolved and places are shown. */
  readonly cwd: string;
  /** Paths of `--values` files, later ones winning. */
  readonly values?: readonly string[];
  /** Whether a folder with a `Dockerfile` is a package too. */
  readonly dockerfiles?: boolean;
  /** The time that templates see; the beginning of 1970 where absent. */
  readonly now?: Date;
  /** The environment that templates see; empty where absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}
