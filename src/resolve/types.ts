import type { MetadataBuild, MetadataPackage } from '../artifact/index.ts';
import type { CutSpec } from '../delta/index.ts';
import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Fault } from '../events/index.ts';
import type { PathLocation } from '../image/index.ts';
import type { Located } from '../spec/index.ts';
import type { BuildContext } from './context.ts';
import type { KeyInputs } from './key.ts';

/** Version of the format of a `ResolvedPlan`, in memory and as JSON. */
export const PLAN_FORMAT = 1;

/**
 * Everything that a build does, as plain data: what is built on what, with which content key, commands and
 * environment, and which packages are written. It does not depend on the engine, the destination or the
 * terminal.
 */
export interface ResolvedPlan {
  /** `PLAN_FORMAT`. */
  readonly format: number;
  /** `KEY_SCHEME`. Keys of different schemes cannot be compared. */
  readonly keyScheme: number;
  /** Latest time in packages, in seconds since 1970. Undefined if the base images determine it. */
  readonly sourceDateEpoch?: number;
  /** The packages that nodes and artifacts refer to. */
  readonly packages: readonly ResolvedPackage[];
  /** The images from outside the trees. */
  readonly images: readonly BaseImage[];
  /** Each node comes after the nodes and artifacts that it needs. The `id` of a node is its index. */
  readonly nodes: readonly ResolvedNode[];
  /** Each artifact comes after the artifacts that it needs. */
  readonly artifacts: readonly ResolvedArtifact[];
}

/** An image that no package of the plan makes: the properties that matter to packages built on it. */
export interface BaseImage {
  /** As written in the spec. */
  readonly reference: string;
  /** The name under which an engine opens it. */
  readonly name: string;
  /** Its location in a tree. Undefined if it is in an engine or registry. */
  readonly at?: PathLocation;
  /** Digests of the uncompressed layers, the lowest first. */
  readonly layers: readonly string[];
  readonly config: {
    /** `NAME=value`. */
    readonly env: readonly string[];
    readonly os: string;
    readonly architecture: string;
    readonly variant: string;
  };
  /** Creation time in seconds since 1970; 0 if the image has none. */
  readonly created: number;
}

/** One package of a tree: the properties that a build needs. */
export interface ResolvedPackage {
  /** `category/name-version`. */
  readonly key: string;
  /** `name-category-version`. */
  readonly fingerprint: string;
  /** Place of the definition. */
  readonly place: Place;
  /** Start of the build spec, or `place` if there is none. */
  readonly buildPlace: Place;
  /** Absolute path of the folder with the build context. */
  readonly folder: string;
  /** Whether it has a `build.yaml`. */
  readonly hasBuild: boolean;
  readonly prelude: readonly Located<string>[];
  readonly steps: readonly Located<string>[];
  /** As written, not expanded. */
  readonly env: readonly Located<string>[];
  readonly retrieve: readonly Located<string>[];
  /** Place of `package_dir`. */
  readonly packageDirPlace?: Place;
  readonly packageDir: string;
  /** The package as seen in the build-time view, for metadata. */
  readonly buildtime: MetadataPackage;
  /** The rendered build spec, for metadata. */
  readonly spec: Omit<MetadataBuild, 'package' | 'seed' | 'closure'>;
  /** The package itself, then its subpackages. */
  readonly outputs: readonly OutputSpec[];
}

/** One package file to write, without the properties that depend on keys. */
export interface OutputSpec {
  /** `category/name-version`. */
  readonly name: string;
  readonly fingerprint: string;
  readonly cut: CutSpec;
  /** The package as clients solve and install it. */
  readonly runtime: MetadataPackage;
}

/** What prelude and steps of a package run on. */
export type ResolvedParent =
  /** An external image. `image` is its index in the plan, or undefined if it could not be resolved. */
  | {
      readonly kind: 'image';
      readonly reference: string;
      readonly image?: number;
      readonly place?: Place;
    }
  /**
   * The image built from the package's own Dockerfile; `path` is absolute. `images` are the base images of
   * its stages. `base` is that of the last stage, whose files are not part of the package; undefined for
   * `scratch`.
   */
  | {
      readonly kind: 'dockerfile';
      readonly path: string;
      readonly images: readonly number[];
      readonly base?: number;
    }
  /** The image of another node, by its id. */
  | { readonly kind: 'node'; readonly node: number }
  /** The contents of packages, extracted over each other in this order (`requires_final_images`). */
  | { readonly kind: 'final'; readonly parts: readonly ResolvedPart[] };

/** A package whose content is part of a parent image. */
export interface ResolvedPart {
  /** `category/name-version` of the artifact, or of one of its subpackages. */
  readonly name: string;
  /** The artifact, by the key of its package. */
  readonly artifact: string;
}

/** One item of `copy`. */
export interface ResolvedCopy {
  /** An external image by its index (undefined if it could not be resolved), or the image of a node. */
  readonly from:
    | { readonly kind: 'image'; readonly reference: string; readonly image?: number }
    | { readonly kind: 'node'; readonly node: number };
  readonly source: string;
  readonly destination: string;
  readonly place: Place;
}

/** One package on one parent. Runs only once, even if several packages need it. */
export interface ResolvedNode {
  /** Its index in the plan. */
  readonly id: number;
  /** The package, by its key. */
  readonly package: string;
  readonly parent: ResolvedParent;
  readonly copies: readonly ResolvedCopy[];
  /** Keys of the packages that must be in the destination before `retrieve` searches it. */
  readonly retrieveAfter: readonly string[];
  /** Whether another node runs on its image, or copies from it. */
  readonly isNeeded: boolean;
  /**
   * Whether the package does not change its parent's image, so that this is also the image of the package.
   */
  readonly passesThrough: boolean;
  /** The files beside `build.yaml`. Undefined if they cannot be read. */
  readonly context?: BuildContext;
  readonly identity: NodeIdentity;
  readonly environment: NodeEnvironment;
}

/** The content key of a node, as far as it is known. */
export type NodeIdentity =
  | KnownIdentity
  /** The key depends on files that an earlier package writes. */
  | { readonly state: 'pending'; readonly waitsFor: PendingReason }
  | FailedIdentity;

/** The package, or what it is built on, cannot be built. */
export interface FailedIdentity {
  readonly state: 'failed';
  /** The reasons, if they are in the package itself. */
  readonly diagnostics: readonly Diagnostic[];
  /** The other package whose failure caused this one. */
  readonly because?: string;
  /** The kind of a failure that is not caused by the package. */
  readonly fault?: Fault;
}

/** What must happen before a key is known. */
export type PendingReason =
  /** The packages that its `retrieve` searches must be written. */
  | 'retrieve'
  /** Its parent, or a package that it copies from, is pending. */
  | 'earlier';

/** A content key and its inputs. */
export interface KnownIdentity {
  readonly state: 'known';
  /** 64 hexadecimal digits. Equal to the parent's key if the node passes through. */
  readonly key: string;
  readonly parentKey: string;
  /** Undefined if the node passes through. */
  readonly inputs?: KeyInputs;
  /** For example `linux/amd64`. */
  readonly platform: string;
  /** Latest time in the package, in seconds since 1970. */
  readonly latest: number;
  /** Digest of the chain of packages and keys up to this node, for the hashes of artifacts. */
  readonly chain: string;
}

/** Variables in order. */
export type EnvironmentVariables = readonly (readonly [name: string, value: string])[];

/** The environments of a node's commands. */
export type NodeEnvironment =
  | {
      readonly state: 'known';
      /** The environment of prelude. */
      readonly prelude: EnvironmentVariables;
      /** The environment of steps. */
      readonly steps: EnvironmentVariables;
      /** The environment stored in the image, which nodes on it inherit. */
      readonly image: EnvironmentVariables;
    }
  /**
   * A Dockerfile below sets variables that are not known until its image exists, or the key itself is
   * pending.
   */
  | { readonly state: 'pending' }
  | { readonly state: 'failed'; readonly diagnostics: readonly Diagnostic[] };

/** One package to write: the files that it adds to its closure. */
export interface ResolvedArtifact {
  /** The package, by its key. */
  readonly package: string;
  /** The node that it is cut from, by its id. Undefined for a package without image. */
  readonly node?: number;
  /** Whether it was requested by name, not only needed by a requested package. */
  readonly asked: boolean;
  /** Whether it is written to the destination. Otherwise it is only used as content of a parent image. */
  readonly wanted: boolean;
  /**
   * Hashes of its outputs, in the order of the package's `outputs`. Undefined if its key is not known yet.
   */
  readonly hashes?: readonly string[];
}
