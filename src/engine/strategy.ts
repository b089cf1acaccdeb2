import type { Advice } from '../diagnostic/index.ts';
import type { Image } from '../image/index.ts';
import { EngineError } from './errors.ts';
import type { EngineSettings } from './settings.ts';
import type { ChangeSource, Engine } from './types.ts';

/** What finding and opening an engine of any kind needs from the program that asks. */
export interface FindEngineOptions {
  /** Where engines may be, as the surroundings of the program say. */
  readonly settings: EngineSettings;
  /** An address, or a kind of engine: `auto`, `docker`, `podman` or `native`. `auto` where absent. */
  readonly engine?: string | undefined;
  /**
   * Identifies this run in labels and in the tags of temporary images; unique among all runs on all hosts.
   */
  readonly runId: string;
  /** Whether the run of that id has surely ended; absent where nothing is known of other runs. */
  readonly isOver?: (runId: string) => boolean;
  /** A new random text, which marks the output of a shell. */
  readonly token: () => string;
  /** An existing folder for temporary files. */
  readonly temporary: string;
  /** Forces a source of changes in containers; `upper` (with a fallback) where absent. */
  readonly source?: ChangeSource | undefined;
  readonly now: () => Date;
  /** Whether the copies of one layer that some images must be started from stay; they do where absent. */
  readonly keepImages?: boolean | undefined;
  /** The folder of the native engine's images; that of the settings where absent. */
  readonly store?: string | undefined;
  /** Fetches an image that the native engine's store does not hold; absent where none can be fetched. */
  readonly pull?: ((reference: string, signal?: AbortSignal) => Promise<Image | undefined>) | undefined;
  /**
   * Replaces this process by the same program under these words, which end with a program that runs another;
   * never returns. The native engine enters user namespaces by it. Absent where this process cannot be
   * replaced.
   */
  readonly enter?: ((words: readonly string[]) => never) | undefined;
  /**
   * Whether the native engine finds out at once what it can do here, rather than when the first command runs.
   */
  readonly thorough?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A kind of engine that can be asked for. `address` stands for every address but those of the native engine.
 */
export type EngineKind = 'docker' | 'podman' | 'native' | 'address';

/** One place that was tried, or one strategy that did not apply. */
export interface Attempt {
  /** What was tried, for people, such as `the current Docker context`. */
  readonly strategy: string;
  readonly address?: string;
  readonly used: boolean;
  /** Why not; empty where it is used. */
  readonly reason: string;
  /** What the program that asked can do about it. */
  readonly advice?: Advice;
}

/** What opening a place gave: the engine where one answers there, and what was tried. */
export interface Opened {
  readonly engine: Engine | undefined;
  readonly attempts: readonly Attempt[];
}

/** A place where an engine may answer. */
export interface EnginePlace {
  /** Whether the user named this place, so that no other may be used instead. */
  readonly isBinding: boolean;
  open(): Promise<Opened>;
}

/** One way to find an engine. */
export interface EngineStrategy {
  /** For people, such as `the usual Docker sockets`. */
  readonly name: string;
  /** The kind of engine that it finds. */
  readonly kind: EngineKind;
  /** The places to try, in order; or, where the strategy does not apply here, a sentence that says why. */
  places(options: FindEngineOptions): readonly EnginePlace[] | string;
}

/** An engine that answers, and everything that was tried until it was found. */
export interface FoundEngine extends Opened {
  readonly engine: Engine;
}

/** No engine answers. Carries what was tried. */
export class NoEngineError extends EngineError {
  readonly attempts: readonly Attempt[];
  /** Whether the user named the last place that was tried, so that no other engine may be used instead of it. */
  readonly isBinding: boolean;

  constructor(attempts: readonly Attempt[], isBinding = false) {
    const tried = attempts.map(
      ({ strategy, address, reason }) =>
        `  ${strategy}${address === undefined ? '' : ` (${address})`}: ${reason}`,
    );
    super(`no container engine answers\n${tried.join('\n')}`);
    this.attempts = attempts;
    this.isBinding = isBinding;
  }
}
