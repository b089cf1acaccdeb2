import type { Compression } from '../artifact/index.ts';
import type { Diagnostic } from '../diagnostic/index.ts';
import type { Engine, WorkspaceLimits } from '../engine/index.ts';
import type { BuildEvent, EventSink, Outcome } from '../events/index.ts';
import type { TreePackage } from '../tree/index.ts';

/** How a plan is carried out. */
export interface BuildOptions extends WorkspaceLimits {
  readonly engine: Engine;
  /** The package of that `category/name-version`, for what subpackages are at run time. */
  readonly find: (key: string) => TreePackage | undefined;
  /** Absolute path of the folder that packages are written to. */
  readonly destination: string;
  readonly compression: Compression;
  /** Under which package images are kept, such as `luet/cache`. */
  readonly imageRepository: string;
  /** Whether the images that this build makes stay in the engine. */
  readonly keepImages: boolean;
  /** How many packages run at once. */
  readonly concurrency: number;
  /** Milliseconds that packages took before, by `category/name-version`: what is on the longest way goes first. */
  readonly durations?: ReadonlyMap<string, number>;
  /** How long an engine that is gone is waited for, in milliseconds; a minute where absent. */
  readonly engineWait?: number | undefined;
  /** Whether what does not depend on a failed package is still built. */
  readonly keepGoing: boolean;
  /** Whether the asked packages run again although their images are there. */
  readonly rebuild: boolean;
  /** Whether parent images must be there already. */
  readonly noDependencies: boolean;
  /** `bridge`, `host` or `none`; the engine's default where absent. */
  readonly network?: string | undefined;
  /** Seconds since 1970 that no time in a package is later than; the base image's creation where absent. */
  readonly sourceDateEpoch?: number | undefined;
  /** Absolute path of the folder for the commands' output, one file a package. */
  readonly logs: string;
  /** An existing folder for what only lives as long as the build. */
  readonly temporary: string;
  /** Names this run; unique among all runs on all hosts. */
  readonly runId: string;
  readonly onEvent: EventSink<BuildEvent>;
  readonly signal: AbortSignal;
  /** Milliseconds from any fixed point, for durations. */
  readonly clock: () => number;
}

/** A package that a build wrote, or found as it would have written it. */
export interface BuiltPackage {
  /** `category/name-version`. */
  readonly package: string;
  readonly outcome: Outcome;
  /** Absolute path. */
  readonly archive: string;
  readonly files: number;
  /** Bytes of the archive. */
  readonly size: number;
  readonly milliseconds: number;
}

/** A package that was not built, and the one whose failure is the reason. */
export interface Unbuilt {
  readonly package: string;
  readonly because: string;
}

/** What became of a build. */
export interface BuildResult {
  readonly packages: readonly BuiltPackage[];
  readonly failed: readonly { readonly package: string; readonly diagnostics: readonly Diagnostic[] }[];
  /** Packages that were not built because they need one that failed. */
  readonly skipped: readonly Unbuilt[];
  /** Packages that were not built because the build stopped when another failed, which they do not need. */
  readonly stopped: readonly Unbuilt[];
}
