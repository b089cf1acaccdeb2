import type { MetadataBuild, MetadataPackage } from '../artifact/index.ts';
import type { CutSpec } from '../delta/index.ts';
import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Fault } from '../events/index.ts';
import type { PathLocation } from '../image/index.ts';
import type { Located } from '../spec/index.ts';
import type { Context } from './context.ts';
import type { KeyInputs } from './key.ts';

/** The version of the shape of a `ResolvedPlan`, in memory and as JSON. */
export const PLAN_FORMAT = 1;

/**
 * Everything that a build does, as plain data: what is built on what, under which content key, with which commands and
 * environment, and which packages come out. Nothing in it depends on the engine, the destination or the terminal.
 */
export interface ResolvedPlan {
  /** `PLAN_FORMAT`. */
  readonly format: number;
  /** `KEY_SCHEME`: keys of another scheme cannot be compared with these. */
  readonly keyScheme: number;
  /** Seconds since 1970 that no time in a package is later than; absent where base images decide. */
  readonly sourceDateEpoch?: number;
  /** The packages that nodes and artifacts name. */
  readonly packages: readonly ResolvedPackage[];
  /** The images from outside the trees. */
  readonly images: readonly BaseImage[];
  /** Each node comes after the nodes and artifacts that it needs. A node's `id` is its index. */
  readonly nodes: readonly ResolvedNode[];
  /** Each artifact comes after the artifacts that it needs. */
  readonly artifacts: readonly ResolvedArtifact[];
}

/** An image that no package of the plan makes, as far as it matters to what is built on it. */
export interface BaseImage {
  /** As the spec writes it. */
  readonly reference: string;
  /** The name by which an engine opens it. */
  readonly name: string;
  /** Where it lies in a tree; absent where an engine or a registry has it. */
  readonly at?: PathLocation;
  /** Digests of the uncompressed layers, lowest first. */
  readonly layers: readonly string[];
  readonly config: {
    /** `NAME=value`. */
    readonly env: readonly string[];
    readonly os: string;
    readonly architecture: string;
    readonly variant: string;
  };
  /** Seconds since 1970; 0 where the image does not say. */
  readonly created: number;
}

/** One package of a tree, as far as a build needs it. */
export interface ResolvedPackage {
  /** `category/name-version`. */
  readonly key: string;
  /** `name-category-version`. */
  readonly fingerprint: string;
  /** Where the package is defined. */
  readonly place: Place;
  /** Where its build spec begins; `place` where it has none. */
  readonly buildPlace: Place;
  /** Absolute path of the folder that holds its build context. */
  readonly folder: string;
  /** Whether it has a `build.yaml`. */
  readonly hasBuild: boolean;
  readonly prelude: readonly Located<string>[];
  readonly steps: readonly Located<string>[];
  /** As written: not expanded. */
  readonly env: readonly Located<string>[];
  readonly retrieve: readonly Located<string>[];
  /** Where `package_dir` is written. */
  readonly packageDirPlace?: Place;
  readonly packageDir: string;
  /** The package as build-time solving sees it, for metadata. */
  readonly buildtime: MetadataPackage;
  /** The rendered build spec, for metadata. */
  readonly spec: Omit<MetadataBuild, 'package' | 'seed' | 'closure'>;
  /** The package itself, then its subpackages. */
  readonly outputs: readonly OutputSpec[];
}

/** One package file to write, without what depends on keys. */
export interface OutputSpec {
  /** `category/name-version`. */
  readonly name: string;
  readonly fingerprint: string;
  readonly cut: CutSpec;
  /** The package as clients solve and install it. */
  readonly runtime: MetadataPackage;
}

/** What a package's prelude and steps run on. */
export type ResolvedParent =
  /** An image from outside; `image` is its index in the plan, absent where it could not be resolved. */
  | {
      readonly kind: 'image';
      readonly reference: string;
      readonly image?: number;
      readonly place?: Place;
    }
  /**
   * The image that the package's own Dockerfile makes; `path` is absolute. `images` are those that its stages begin with,
   * and `base` is that of the last stage, which the package does not hold; absent where that is `scratch`.
   */
  | {
      readonly kind: 'dockerfile';
      readonly path: string;
      readonly images: readonly number[];
      readonly base?: number;
    }
  /** The image of another node, by its id. */
  | { readonly kind: 'node'; readonly node: number }
  /** The contents of packages, unpacked over each other in this order (`requires_final_images`). */
  | { readonly kind: 'final'; readonly parts: readonly ResolvedPart[] };

/** A package whose content is part of a parent image. */
export interface ResolvedPart {
  /** `category/name-version`: the artifact's own, or that of one of its subpackages. */
  readonly name: string;
  /** The artifact, by the key of its package. */
  readonly artifact: string;
}

/** One entry of `copy`. */
export interface ResolvedCopy {
  /** An image from outside, by its index (absent where it could not be resolved), or the image of a node. */
  readonly from:
    | { readonly kind: 'image'; readonly reference: string; readonly image?: number }
    | { readonly kind: 'node'; readonly node: number };
  readonly source: string;
  readonly destination: string;
  readonly place: Place;
}

/** One package on one parent: what is run once, whoever needs it. */
export interface ResolvedNode {
  /** Its index in the plan. */
  readonly id: number;
  /** The package, by its key. */
  readonly package: string;
  readonly parent: ResolvedParent;
  readonly copies: readonly ResolvedCopy[];
  /** The packages that must lie in the destination before `retrieve` looks there, by their keys. */
  readonly retrieveAfter: readonly string[];
  /** Whether another node runs on its image, or copies from it. */
  readonly isNeeded: boolean;
  /** Whether the package does nothing to its parent's image, so that this is the package's image too. */
  readonly passesThrough: boolean;
  /** The files beside `build.yaml`; absent where they cannot be read. */
  readonly context?: Context;
  readonly identity: NodeIdentity;
  readonly environment: NodeEnvironment;
}

/** What a node's content key is, as far as it is known. */
export type NodeIdentity =
  | KnownIdentity
  /** The key depends on files that an earlier package writes. */
  | { readonly state: 'pending'; readonly waitsFor: PendingReason }
  | FailedIdentity;

/** The package, or what it is built on, cannot be built. */
export interface FailedIdentity {
  readonly state: 'failed';
  /** Why, where the package itself says so. */
  readonly diagnostics: readonly Diagnostic[];
  /** The package whose failure this one follows, where it is another. */
  readonly because?: string;
  /** What failed that is not the package's fault. */
  readonly fault?: Fault;
}

/** What must happen before a key is known. */
export type PendingReason =
  /** The packages that its `retrieve` looks for must be written. */
  | 'retrieve'
  /** What it is built on, or copies from, waits itself. */
  | 'earlier';

/** A content key, and what it was made of. */
export interface KnownIdentity {
  readonly state: 'known';
  /** 64 hexadecimal digits. The parent's key where the node passes through. */
  readonly key: string;
  readonly parentKey: string;
  /** Absent where the node passes through. */
  readonly inputs?: KeyInputs;
  /** Such as `linux/amd64`. */
  readonly platform: string;
  /** No time in the package is later than this, in seconds since 1970. */
  readonly latest: number;
  /** A digest of the chain of packages and keys below and with this node, for the hashes of artifacts. */
  readonly chain: string;
}

/** Variables in their order. */
export type Environment = readonly (readonly [name: string, value: string])[];

/** The environments of a node's commands. */
export type NodeEnvironment =
  | {
      readonly state: 'known';
      /** What prelude sees. */
      readonly prelude: Environment;
      /** What steps see. */
      readonly steps: Environment;
      /** What the image keeps, and nodes on it inherit. */
      readonly image: Environment;
    }
  /** A Dockerfile below sets variables that are known when its image is there, or the key itself waits. */
  | { readonly state: 'pending' }
  | { readonly state: 'failed'; readonly diagnostics: readonly Diagnostic[] };

/** One package as it is written: what it adds to its own closure. */
export interface ResolvedArtifact {
  /** The package, by its key. */
  readonly package: string;
  /** The node that it is cut from, by its id; absent for a package without an image. */
  readonly node?: number;
  /** Whether it was asked for by name, rather than needed by one that was. */
  readonly asked: boolean;
  /** Whether it goes to the destination; one that does not is only content of a parent image. */
  readonly wanted: boolean;
  /** The hashes of its outputs, in the order of the package's `outputs`; absent while its key is not known. */
  readonly hashes?: readonly string[];
}
