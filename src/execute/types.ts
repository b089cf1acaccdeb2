import type { PackageFormat } from '../artifact/index.ts';
import type { ImageCache } from '../cache/index.ts';
import type { Diagnostic } from '../diagnostic/index.ts';
import type { Engine, WorkspaceLimits } from '../engine/index.ts';
import type { BuildEvent, EventSink, Outcome } from '../events/index.ts';

/** How a resolved plan is carried out. */
export interface ExecuteOptions extends WorkspaceLimits {
  readonly engine: Engine;
  /** Where images of packages are found; the engine's own where absent. */
  readonly cache?: ImageCache | undefined;
  /** How packages are written. */
  readonly format: PackageFormat;
  /** Absolute path of the folder that packages are written to. */
  readonly destination: string;
  /** Under which package images are kept in the engine, such as `luet/cache`. */
  readonly imageRepository: string;
  /** Whether the images that this build makes stay in the engine. */
  readonly keepImages: boolean;
  /** How many packages run at once. */
  readonly concurrency: number;
  /** Milliseconds that packages took before, by `category/name-version`: the longest remaining path goes first. */
  readonly durations?: ReadonlyMap<string, number>;
  /** How long to wait for an engine that does not answer, in milliseconds; a minute where absent. */
  readonly engineWait?: number | undefined;
  /** Whether packages that do not depend on a failed one are still built. */
  readonly keepGoing: boolean;
  /** Whether the asked packages run again although their images are there. */
  readonly rebuild: boolean;
  /** Whether only the asked packages are built, on parent images that must be there already. */
  readonly noDependencies: boolean;
  /** `bridge`, `host` or `none`; the engine's default where absent. */
  readonly network?: string | undefined;
  /** Whether nothing may run that is not kept from the machine. */
  readonly isolation?: 'required' | 'best' | undefined;
  /** Absolute path of the folder for the commands' output, one file a package. */
  readonly logs: string;
  /** An existing folder for files that only live as long as the build. */
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
  /** How many entries the package has, folders not counted; 0 where it was unchanged and nobody looked. */
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
  /** What was built and did not reach the image cache, such as pushes that failed: one finding each. */
  readonly undelivered: readonly Diagnostic[];
}
