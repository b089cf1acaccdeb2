import type { Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import type { CopyEntry } from '../spec/index.ts';
import type { TreePackage } from '../tree/index.ts';

/** What a package's prelude and steps run on. */
export type Parent =
  /** An image from outside of the trees. */
  | { readonly kind: 'image'; readonly reference: string }
  /** The image that the package's own `Dockerfile` makes; `path` is absolute. */
  | { readonly kind: 'dockerfile'; readonly path: string }
  /** The package image of the one before it in the chain. */
  | { readonly kind: 'node'; readonly node: PlanNode }
  /** The contents of packages, unpacked over each other in this order (`requires_final_images`). */
  | { readonly kind: 'final'; readonly parts: readonly PlanPart[] };

/** A package whose content is part of a parent image. */
export interface PlanPart {
  /** `category/name-version`: the artifact's own, or that of one of its subpackages. */
  readonly name: string;
  readonly artifact: PlanArtifact;
}

/** Where the files of a `copy` entry come from. */
export interface PlanCopy {
  readonly entry: CopyEntry;
  readonly from:
    | { readonly kind: 'image'; readonly reference: string }
    | { readonly kind: 'node'; readonly node: PlanNode };
}

/** One package on one parent: what is run once, whoever needs it. */
export interface PlanNode {
  /** Unique in its plan. */
  readonly id: number;
  readonly package: TreePackage;
  readonly parent: Parent;
  readonly copies: readonly PlanCopy[];
  /** Packages that have to lie in the destination before `retrieve` looks there. */
  readonly retrieveAfter: readonly PlanArtifact[];
  /** Nodes that run on this one's image, or copy from it. */
  readonly dependants: ReadonlySet<PlanNode>;
}

/** One package as it is written: what it adds to its own closure. */
export interface PlanArtifact {
  readonly package: TreePackage;
  /** Where it is cut; undefined for a package that has no image to be cut from. */
  readonly node?: PlanNode;
  /** The packages that it is built on, in order, itself last. */
  readonly closure: readonly TreePackage[];
  /** Whether it was asked for by name, rather than needed by one that was. */
  asked: boolean;
  /** Whether it goes to the destination; one that does not is only content of a parent image. */
  wanted: boolean;
}

/** Everything that a build has to do, and on what each part of it waits. */
export interface Plan {
  /** Each comes after what it needs. */
  readonly artifacts: readonly PlanArtifact[];
  /** Likewise. */
  readonly nodes: readonly PlanNode[];
  /** What is odd about the images that packages are built on. */
  readonly warnings: readonly Diagnostic[];
}

/** How much is built. */
export interface PlanOptions {
  /** Only the asked packages are written. */
  readonly onlyTargets?: boolean;
  /** All but the asked packages are written. */
  readonly onlyDependencies?: boolean;
  /** Of the targets, only those count as asked that no other target needs. */
  readonly leavesOnly?: boolean;
  /** Takes what stands in the way of one target, so that the others are planned all the same. */
  readonly onProblem?: (error: DiagnosticError) => void;
}
