/** A package form that is required, conflicted with, or provided. */
export interface Requirement {
  /** `category/name`. */
  readonly name: string;
  /** A version selector; empty for any. In `provides`, a bare version is what is provided exactly. */
  readonly selector: string;
  /** Where it is written, such as `a/build.yaml:7`; shown in explanations. */
  readonly origin?: string;
}

/** One version of one package, as far as solving is concerned. */
export interface Candidate {
  /** Names this candidate and no other of its universe. */
  readonly id: string;
  /** `category/name`. */
  readonly name: string;
  readonly version: string;
  readonly requires: readonly Requirement[];
  readonly conflicts: readonly Requirement[];
  readonly provides: readonly Requirement[];
  /** Where it is defined; shown in explanations. */
  readonly origin?: string;
}

/** What is asked for. Earlier entries have precedence over later ones. */
export interface Request {
  readonly requires: readonly Requirement[];
  /** Ids of candidates that must be in the solution, each being itself: nothing stands in for it. */
  readonly packages?: readonly string[];
  /** Ids of candidates that are installed and are to be kept as they are where nothing speaks against it. */
  readonly installed?: readonly string[];
  /** What must not be in the solution. */
  readonly conflicts?: readonly Requirement[];
}

/** A requirement or a conflict, and who has it; undefined for the request. */
export interface Claim {
  readonly from: Candidate | undefined;
  readonly requirement: Requirement;
}

/** One requirement of a chosen candidate (or of the request), and the chosen candidate that satisfies it. */
export interface Edge {
  /** The candidate that requires; undefined for the request. */
  readonly from: Candidate | undefined;
  readonly requirement: Requirement;
  /** The one that satisfies it, which is `from` itself where that provides what it requires. */
  readonly to: Candidate;
}

/** A set of candidates in which every requirement holds, and none is without need. */
export interface Solution {
  readonly ok: true;
  /** Sorted by name, then version. */
  readonly packages: readonly Candidate[];
  /** Each requirement's satisfier, the request's first, then each package's in the order of `packages`. */
  readonly edges: readonly Edge[];
}
