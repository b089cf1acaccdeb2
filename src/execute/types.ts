import type { PackageFormat } from '../artifact/index.ts';
import type { ImageCache } from '../cache/index.ts';
import type { Diagnostic } from '../diagnostic/index.ts';
import type { Engine, WorkspaceLimits } from '../engine/index.ts';
import type { BuildEvent, EventSink, Outcome } from '../events/index.ts';

/** Options for executing a resolved plan. */
export interface ExecuteOptions extends WorkspaceLimits {
  readonly engine: Engine;
  /** Where to find package images. Default: in the engine. */
  readonly cache?: ImageCache | undefined;
  /** The format of packages. */
  readonly format: PackageFormat;
  /** Absolute path of the destination folder for packages. */
  readonly destination: string;
  /** Repository name of package images in the engine, such as `luet/cache`. */
  readonly imageRepository: string;
  /** Whether the images of this build stay in the engine. */
  readonly keepImages: boolean;
  /** Maximum number of packages to run in parallel. */
  readonly concurrency: number;
  /**
   * Milliseconds that packages took in earlier builds, by `category/name-version`. The longest remaining path
   * starts first.
   */
  readonly durations?: ReadonlyMap<string, number>;
  /** Milliseconds to wait for an engine that does not answer. Default: one minute. */
  readonly engineWait?: number | undefined;
  /** Whether to build packages that do not depend on a failed one. */
  readonly keepGoing: boolean;
  /** Whether to run the requested packages even if their images exist. */
  readonly rebuild: boolean;
  /** Whether to build only the requested packages, on existing parent images. */
  readonly noDependencies: boolean;
  /** Whether images are waited for that other machines make. */
  readonly waitForOthers?: boolean | undefined;
  /** `bridge`, `host` or `none`. Default: decided by the engine. */
  readonly network?: string | undefined;
  /** With `required`, nothing runs without isolation from the machine. */
  readonly isolation?: 'required' | 'best' | undefined;
  /** Absolute path of the folder for logs: one file for each package. */
  readonly logs: string;
  /** An existing folder for temporary files of the build. */
  readonly temporary: string;
  /** Id of this run, unique among all runs on all hosts. */
  readonly runId: string;
  readonly onEvent: EventSink<BuildEvent>;
  readonly signal: AbortSignal;
  /** Monotonic clock in milliseconds, for durations. */
  readonly clock: () => number;
}

/** A package that a build wrote, or that already existed unchanged. */
export interface BuiltPackage {
  /** `category/name-version`. */
  readonly package: string;
  readonly outcome: Outcome;
  /** Absolute path. */
  readonly archive: string;
  /** Number of entries, not counting folders; 0 if the package was unchanged and was not read. */
  readonly files: number;
  /** Size of the archive in bytes. */
  readonly size: number;
  readonly milliseconds: number;
}

/** A package that was not built, and the package whose failure is the reason. */
export interface Unbuilt {
  readonly package: string;
  readonly because: string;
}

/** The result of a build. */
export interface BuildResult {
  readonly packages: readonly BuiltPackage[];
  readonly failed: readonly { readonly package: string; readonly diagnostics: readonly Diagnostic[] }[];
  /** Packages that were not built because a requirement failed. */
  readonly skipped: readonly Unbuilt[];
  /** Packages that were not built because the build stopped after the failure of an unrelated package. */
  readonly stopped: readonly Unbuilt[];
  /**
   * Images that were built but could not be stored in the image cache, such as failed pushes: one diagnostic
   * each.
   */
  readonly undelivered: readonly Diagnostic[];
}
