/**
 * The events that a build reports while it runs, as plain values. Whoever wants to show or record progress
 * passes a function that takes them (`EventSink`); the build does not know who that is.
 */
import type { Diagnostic } from '../diagnostic/index.ts';

/** How a package was made. */
export type Outcome =
  /** Its prelude and steps ran. */
  | 'built'
  /** Cut from an image that was there already: nothing ran. */
  | 'cut'
  /** It holds nothing, so nothing had to run. */
  | 'empty'
  /** The destination had it already, exactly as it would be made. */
  | 'unchanged';

/**
 * Reasons for which a package fails that are not its own: the engine, the engine's images, memory, a disk.
 */
export type Fault = 'gone' | 'no-space' | 'image-missing' | 'out-of-memory' | 'killed' | 'other';

/** What a node, which is one package on one parent, is doing. */
export type NodeState =
  /** It waits for what it needs, or for a slot. */
  | 'waiting'
  /** Its image is brought into the engine. */
  | 'fetching'
  /** Its prelude and steps run. */
  | 'running'
  /** Its image is made of what they left. */
  | 'committing'
  /** Its packages are written. */
  | 'packing'
  | 'done'
  | 'failed';

/** One event of a build. Packages are named `category/name-version`; times are in milliseconds. */
export type BuildEvent =
  | {
      readonly type: 'planned';
      /** The packages that will be written. */
      readonly packages: readonly string[];
      /** Those of them that were asked for by name. */
      readonly asked: readonly string[];
      /** For each package, those that it waits for directly, whether they are written or only built on. */
      readonly needs: Readonly<Record<string, readonly string[]>>;
      /** How many packages run at the same time. */
      readonly concurrency: number;
    }
  /** A node does something else than before; all of them wait at first. Nodes count from 0, in the plan's order. */
  | { readonly type: 'state'; readonly package: string; readonly node: number; readonly state: NodeState }
  /** The package's image existed before this build: nothing runs for it. */
  | { readonly type: 'reused'; readonly package: string; readonly reference: string }
  /** The package is ready, and waits only because enough others run. */
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
  /**
   * A step has ended; successfully where `exit` is 0. A step that was cut off by the engine has no such
   * event.
   */
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
  /** The package's image exists, and others can be built on it. */
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
  /** Something about a package that people should know, and that does not stop it. */
  | { readonly type: 'notice'; readonly package: string; readonly message: string }
  /** The engine failed a package. Its work starts again after a pause of `milliseconds`. */
  | {
      readonly type: 'retrying';
      readonly package: string;
      readonly fault: Fault;
      readonly message: string;
      /** 2 when it starts for the second time. */
      readonly attempt: number;
      readonly attempts: number;
      readonly milliseconds: number;
    }
  /** The engine does not answer; the build waits for it, at most so long. */
  | { readonly type: 'engine-gone'; readonly message: string; readonly milliseconds: number }
  /** Commands are about to run that are not isolated from the machine. */
  | { readonly type: 'not-isolated'; readonly message: string }
  /** About the cache that machines share: a registry that does not answer, an image that is not used. */
  | { readonly type: 'cache-note'; readonly message: string }
  /** What is about to be built, and why, in one line. */
  | { readonly type: 'explained'; readonly message: string }
  /** The engine answers again, after so long. */
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
