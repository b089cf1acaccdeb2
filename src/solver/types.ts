/** A package that is required, conflicted with, or provided. */
export interface Requirement {
  /** `category/name`. */
  readonly name: string;
  /** A version selector; empty for any version. In `provides`, a bare version means exactly that version. */
  readonly selector: string;
  /** Place in a source file, such as `a/build.yaml:7`; shown in explanations. */
  readonly origin?: string;
  /** Anything that the caller wants back with the requirement, such as its place in a file. The solver does not look at it. */
  readonly place?: unknown;
}

/** One version of one package, as the solver sees it. */
export interface Candidate {
  /** Unique id in the universe. */
  readonly id: string;
  /** `category/name`. */
  readonly name: string;
  readonly version: string;
  readonly requires: readonly Requirement[];
  readonly conflicts: readonly Requirement[];
  readonly provides: readonly Requirement[];
  /** Place of its definition; shown in explanations. */
  readonly origin?: string;
}

/** What to solve. Earlier entries have priority over later ones. */
export interface Request {
  readonly requires: readonly Requirement[];
  /** Ids of candidates that must be in the solution; no other candidate can replace them. */
  readonly packages?: readonly string[];
  /** Ids of installed candidates, which are kept unchanged if possible. */
  readonly installed?: readonly string[];
  /** What must not be in the solution. */
  readonly conflicts?: readonly Requirement[];
}

/** A requirement or conflict, and the candidate that has it; undefined for the request. */
export interface Claim {
  readonly from: Candidate | undefined;
  readonly requirement: Requirement;
}

/**
 * One requirement of a selected candidate (or of the request), and the selected candidate that satisfies it.
 */
export interface Edge {
  /** The candidate with the requirement; undefined for the request. */
  readonly from: Candidate | undefined;
  readonly requirement: Requirement;
  /** The candidate that satisfies it; `from` itself if it provides what it requires. */
  readonly to: Candidate;
}

/** A set of candidates that satisfies all requirements and contains nothing unnecessary. */
export interface Solution {
  readonly ok: true;
  /** Sorted by name, then version. */
  readonly packages: readonly Candidate[];
  /**
   * All requirements with the candidates that satisfy them: first those of the request, then of each package,
   * in the order of `packages`.
   */
  readonly edges: readonly Edge[];
}
