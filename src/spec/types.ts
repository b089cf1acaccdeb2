import type { Diagnostic, Note, Place } from '../diagnostic/index.ts';
import type { Value } from '../template/index.ts';

/** What names one package: its form. An absent category or version is the empty string. */
export interface PackageId {
  readonly name: string;
  readonly category: string;
  /** The text as written: `1.10` is not `1.1`. */
  readonly version: string;
}

/** A package form in `requires`, `conflicts`, `provides` or `copy`. */
export interface PackageRef {
  readonly name: string;
  readonly category: string;
  /** Which versions are meant, as written; the empty string means any. */
  readonly selector: string;
  /** Where the form stands in the file that a person wrote. */
  readonly place: Place;
}

/** A value and where it stands in the file that a person wrote. */
export interface Located<T> {
  readonly value: T;
  readonly place: Place;
  /** Where the templates are used that it came from, innermost first; absent where it stands in its own file. */
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
  /** Every field of the definition, known or not, as templates see it under `.Values`. Made anew each time. */
  readonly values: Map<string, Value>;
  /** Where the package begins: its file, or its entry in a collection. */
  readonly place: Place;
}

/** One entry of `copy`: exactly one of `package` and `image` is there. */
export interface CopyEntry {
  readonly package?: PackageRef;
  readonly image?: string;
  readonly source: string;
  readonly destination: string;
  readonly place: Place;
}

/** One entry of `subpackages`: what of the finished package is cut out under another name. */
export interface Subpackage extends Definition {
  readonly includes: readonly Located<string>[];
  readonly excludes: readonly Located<string>[];
  readonly place: Place;
  /** What is wrong with it: errors alone, mostly none. They are among the problems of its file, too. */
  readonly errors: readonly Diagnostic[];
}

/** A rendered and checked `build.yaml`. */
export interface BuildSpec {
  /** The base image reference. */
  readonly image?: Located<string> | undefined;
  readonly requires: readonly PackageRef[];
  readonly requiresFinalImages: boolean;
  readonly conflicts: readonly PackageRef[];
  /** Undefined where `build.yaml` has none, so that the definition's count at build time. */
  readonly provides?: readonly PackageRef[] | undefined;
  readonly prelude: readonly Located<string>[];
  readonly steps: readonly Located<string>[];
  /** `NAME=value`, as written: not expanded. */
  readonly env: readonly Located<string>[];
  readonly copy: readonly CopyEntry[];
  readonly unpack: boolean;
  readonly packageDir?: Located<string> | undefined;
  readonly includes: readonly Located<string>[];
  readonly excludes: readonly Located<string>[];
  readonly subpackages: readonly Subpackage[];
  readonly retrieve: readonly Located<string>[];
  /** The beginning of `build.yaml`. */
  readonly place: Place;
}
