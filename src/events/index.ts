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

/** What happens while packages are built. Packages are named `category/name-version`; times are in milliseconds. */
export type BuildEvent =
  | { readonly type: 'planned'; readonly packages: readonly string[]; readonly asked: readonly string[] }
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
  | { readonly type: 'failed'; readonly package: string; readonly diagnostics: readonly Diagnostic[] }
  /** Not built because of another package. */
  | { readonly type: 'skipped'; readonly package: string; readonly because: string };

/** Takes events as they happen; must not throw. */
export type EventSink<E = BuildEvent> = (event: E) => void;
