/**
 * The one typed stream that long work reports through. Whoever listens gets plain values; who that is, the work does not know.
 */
import type { Diagnostic } from '../diagnostic/index.ts';

/** How a package came about. */
export type Outcome =
  /** Its prelude and steps ran. */
  | 'built'
  /** Cut from an image that was there already: nothing ran. */
  | 'cut'
  /** It holds nothing, and nothing had to run for that. */
  | 'empty'
  /** It lay in the destination as it would have been made. */
  | 'unchanged';

/** What can fail a package that is no fault of its own: its engine, the engine's images, memory, a disk. */
export type Fault = 'gone' | 'no-space' | 'image-missing' | 'out-of-memory' | 'killed' | 'other';

/** What happens while packages are built. Packages are named `category/name-version`; times are in milliseconds. */
export type BuildEvent =
  | {
      readonly type: 'planned';
      /** What is to be written. */
      readonly packages: readonly string[];
      /** Those of them that were asked for by name. */
      readonly asked: readonly string[];
      /** On which packages each directly waits, whether they are written or only built on. */
      readonly needs: Readonly<Record<string, readonly string[]>>;
      /** How many run at once. */
      readonly concurrency: number;
    }
  /** The package's image was there before this build: nothing runs for it. */
  | { readonly type: 'reused'; readonly package: string; readonly reference: string }
  /** Nothing but the number of packages at once holds it up. */
  | { readonly type: 'queued'; readonly package: string }
  /** A package's image is being made, or its package is being cut from an image. */
  | {
      readonly type: 'started';
      readonly package: string;
      readonly work: 'run' | 'cut';
      readonly parent: string;
      readonly log?: string;
    }
  | {
      readonly type: 'step';
      readonly package: string;
      readonly phase: 'prelude' | 'steps';
      readonly index: number;
      readonly count: number;
      readonly command: string;
    }
  /** A step has ended, well where `exit` is 0; one that the engine did not see to its end has no such event. */
  | {
      readonly type: 'stepped';
      readonly package: string;
      readonly phase: 'prelude' | 'steps';
      readonly index: number;
      readonly count: number;
      readonly exit: number;
      readonly milliseconds: number;
    }
  | {
      readonly type: 'output';
      readonly package: string;
      readonly stream: 'stdout' | 'stderr';
      readonly chunk: Uint8Array;
    }
  /** The package's image can be built on from now. */
  | {
      readonly type: 'ran';
      readonly package: string;
      readonly reference?: string;
      readonly milliseconds: number;
    }
  | {
      readonly type: 'written';
      readonly package: string;
      readonly outcome: Outcome;
      readonly archive: string;
      readonly files: number;
      readonly size: number;
      readonly milliseconds: number;
    }
  /** Something about a package that a person should know and that does not stop it. */
  | { readonly type: 'notice'; readonly package: string; readonly message: string }
  /** The engine failed a package, whose work is begun anew after a pause of `milliseconds`. */
  | {
      readonly type: 'retrying';
      readonly package: string;
      readonly fault: Fault;
      readonly message: string;
      /** 2 for the first time that it is begun anew. */
      readonly attempt: number;
      readonly attempts: number;
      readonly milliseconds: number;
    }
  /** The engine does not answer; it is waited for, so long at most. */
  | { readonly type: 'engine-gone'; readonly message: string; readonly milliseconds: number }
  /** Commands are about to run that are not kept from the machine that they run on. */
  | { readonly type: 'not-isolated'; readonly message: string }
  /** It answers again, after so long. */
  | { readonly type: 'engine-back'; readonly milliseconds: number }
  | {
      readonly type: 'failed';
      readonly package: string;
      readonly diagnostics: readonly Diagnostic[];
      /** Absent where the package itself failed. */
      readonly fault?: Fault;
    }
  /** Not built, because it needs a package that failed. */
  | { readonly type: 'skipped'; readonly package: string; readonly because: string }
  /** Not built, because the build stopped when a package failed that it does not need. */
  | { readonly type: 'stopped'; readonly package: string; readonly because: string };

/** Takes events as they happen; must not throw. */
export type EventSink<E = BuildEvent> = (event: E) => void;
