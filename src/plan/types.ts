import type { Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import type { CopyEntry } from '../spec/index.ts';
import type { TreePackage } from '../tree/index.ts';

/** What the prelude and steps of a package run on. */
export type Parent =
  /** An image from outside the trees. */
  | { readonly kind: 'image'; readonly reference: string }
  /** The image built from the package's own `Dockerfile`; `path` is absolute. */
  | { readonly kind: 'dockerfile'; readonly path: string }
  /** The image of the package before it in the chain. */
  | { readonly kind: 'node'; readonly node: PlanNode }
  /** The contents of packages, extracted over each other in this order (`requires_final_images`). */
  | { readonly kind: 'final'; readonly parts: readonly PlanPart[] };

/** A package whose content is part of a parent image. */
export interface PlanPart {
  /** `category/name-version` of the artifact, or of one of its subpackages. */
  readonly name: string;
  readonly artifact: PlanArtifact;
}

/** The source of the files of a `copy` item. */
export interface PlanCopy {
  readonly entry: CopyEntry;
  readonly from:
    | { readonly kind: 'image'; readonly reference: string }
    | { readonly kind: 'node'; readonly node: PlanNode };
}

/** One package on one parent. Runs only once, even if several packages need it. */
export interface PlanNode {
  /** Unique in its plan. */
  readonly id: number;
  readonly package: TreePackage;
  readonly parent: Parent;
  readonly copies: readonly PlanCopy[];
  /** Packages that must be in the destination before `retrieve` searches it. */
  readonly retrieveAfter: readonly PlanArtifact[];
  /** Nodes that run on the image of this one, or copy from it. */
  readonly dependants: ReadonlySet<PlanNode>;
}

/** One package to write: the files that it adds to its closure. */
export interface PlanArtifact {
  readonly package: TreePackage;
  /** The node from whose image it is cut. Undefined for a package without image. */
  readonly node?: PlanNode;
  /** The packages that it is built on, in order, itself last. */
  readonly closure: readonly TreePackage[];
  /** Whether it was requested by name, not only needed by a requested package. */
  asked: boolean;
  /** Whether it is written to the destination. Otherwise it is only used as content of a parent image. */
  wanted: boolean;
}

/** Everything that a build has to do, and what each part waits for. */
export interface Plan {
  /** Sorted so that each comes after those it needs. */
  readonly artifacts: readonly PlanArtifact[];
  /** Sorted in the same way. */
  readonly nodes: readonly PlanNode[];
  /** Warnings about the images that packages are built on. */
  readonly warnings: readonly Diagnostic[];
}

/** Which packages are written. */
export interface PlanOptions {
  /** Write only the requested packages. */
  readonly onlyTargets?: boolean;
  /** Write everything except the requested packages. */
  readonly onlyDependencies?: boolean;
  /** Of the targets, only those that no other target needs count as requested. */
  readonly leavesOnly?: boolean;
  /**
   * Called with the problems of one target, so that the other targets are still planned. Default: throw them.
   */
  readonly onProblem?: (error: DiagnosticError) => void;
}
