import type { Diagnostic, Note, Place } from '../diagnostic/index.ts';
import type { Value } from '../template/index.ts';

/** Identifies one package. A missing category or version is the empty string. */
export interface PackageId {
  readonly name: string;
  readonly category: string;
  /** The text as written: `1.10` differs from `1.1`. */
  readonly version: string;
}

/** A reference to packages in `requires`, `conflicts`, `provides` or `copy`. */
export interface PackageRef {
  readonly name: string;
  readonly category: string;
  /** The version selector as written; empty for any version. */
  readonly selector: string;
  /** Place of the reference in the source file. */
  readonly place: Place;
}

/** A value and its place in the source file. */
export interface Located<T> {
  readonly value: T;
  readonly place: Place;
  /**
   * The calls of the templates that produced the value, innermost first. Undefined if the value is in the
   * file itself.
   */
  readonly notes?: readonly Note[] | undefined;
}

/** One package of a `definition.yaml` or `collection.yaml`. */
export interface Definition extends PackageId {
  readonly description: string;
  readonly license: string;
  readonly uri: readonly string[];
  readonly hidden: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly useFlags: readonly string[];
  readonly requires: readonly PackageRef[];
  readonly conflicts: readonly PackageRef[];
  readonly provides: readonly PackageRef[];
  /** All fields, known or not, as templates see them under `.Values`. Computed again at each access. */
  readonly values: Map<string, Value>;
  /** Start of the package: of its file, or of its item in a collection. */
  readonly place: Place;
}

/** One item of `copy`. Exactly one of `package` and `image` is set. */
export interface CopyEntry {
  readonly package?: PackageRef;
  readonly image?: string;
  readonly source: string;
  readonly destination: string;
  readonly place: Place;
}

/** One item of `subpackages`: a package made of files of the finished main package. */
export interface Subpackage extends Definition {
  readonly includes: readonly Located<string>[];
  readonly excludes: readonly Located<string>[];
  readonly place: Place;
  /** Its errors, usually none. They are also among the problems of its file. */
  readonly errors: readonly Diagnostic[];
}

/** A rendered and checked `build.yaml`. */
export interface BuildSpec {
  /** Reference of the base image. */
  readonly image?: Located<string> | undefined;
  readonly requires: readonly PackageRef[];
  readonly requiresFinalImages: boolean;
  readonly conflicts: readonly PackageRef[];
  /** Undefined if `build.yaml` does not set it; then the definition's value applies at build time. */
  readonly provides?: readonly PackageRef[] | undefined;
  readonly prelude: readonly Located<string>[];
  readonly steps: readonly Located<string>[];
  /** `NAME=value` as written, not expanded. */
  readonly env: readonly Located<string>[];
  readonly copy: readonly CopyEntry[];
  readonly unpack: boolean;
  readonly packageDir?: Located<string> | undefined;
  readonly includes: readonly Located<string>[];
  readonly excludes: readonly Located<string>[];
  readonly subpackages: readonly Subpackage[];
  readonly retrieve: readonly Located<string>[];
  /** Start of `build.yaml`. */
  readonly place: Place;
}
