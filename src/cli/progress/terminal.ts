import { escapeTerminal } from '../../diagnostic/index.ts';
import type { BuildEvent } from '../../events/index.ts';
import type { Output } from '../context.ts';
import { duration } from '../units.ts';
import { Drawing } from './drawing.ts';
import { remaining } from './estimate.ts';
import { frameRows } from './frame.ts';
import { OutputLines } from './output-lines.ts';
import type { BuildState } from './state.ts';
import { displayWidth, fitToWidth } from './width.ts';
import {
  engineText,
  failedWord,
  isEngineEvent,
  outcomeText,
  type Paint,
  reason,
  retryText,
} from './words.ts';

/** What the view is made of. */
export interface TerminalOptions {
  readonly output: Output;
  readonly state: BuildState;
  readonly clock: () => number;
  readonly paint: Paint;
  /** How long a package took in an earlier run. */
  readonly usual: (name: string) => number | undefined;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Whether what commands write scrolls by as well. */
  readonly liveOutput: boolean;
}

/** A view that is drawn over, below lines that scroll by. */
export interface TerminalView {
  /** Takes an event that the state has taken, and how long its package has been worked on. */
  take(event: BuildEvent, took: number | undefined): void;
  /** Draws what has changed since the last time, in one write; nothing where nothing has. */
  draw(): void;
  /** From now on, says that it is stopping. */
  stop(): void;
  /** Takes the view away until it is drawn the next time; what has scrolled by stays. */
  end(): void;
}

/** Before this time no estimate is shown: what has not changed is found first. */
const ESTIMATE_AFTER = 1000;

/** Columns of a terminal on which names are put in one column, and the longest name that counts for that. */
const WIDE = 80;
const LONGEST_NAME = 36;

/** The view for a terminal. */
export function createTerminalView(options: TerminalOptions): TerminalView {
  const { output, state, clock, paint, usual } = options;
  const lines = new OutputLines();
  const last = new Map<string, string>();
  const drawing = new Drawing(output);
  let stopping = false;
  let nameWidth = 0;

  const view = (): string[] => {
    const now = clock();
    const left = now - state.since < ESTIMATE_AFTER ? undefined : remaining(state, usual, now);
    // The last column stays free: some terminals go to the next line when it is written to. So does the last
    // row.
    return frameRows(state, {
      columns: (output.columns ?? 80) - 1,
      rows: (output.rows ?? 24) - 1,
      now,
      last,
      remaining: left,
      stopping,
      paint,
    });
  };

  const say = (text: string): void => drawing.say(text);
  const wrote = (name: string, whole: readonly string[]): void => {
    if (options.liveOutput) for (const line of whole) say(`${paint(2, `${escapeTerminal(name)} |`)} ${line}`);
  };

  return {
    take(event, took) {
      if (event.type === 'planned') {
        nameWidth = Math.min(
          LONGEST_NAME,
          Math.max(0, ...event.packages.map((one) => displayWidth(escapeTerminal(one)))),
        );
        return;
      }
      if (isEngineEvent(event)) {
        if (!options.quiet) say(`${paint(33, '!')} ${engineText(event)}`);
        return;
      }
      const name = escapeTerminal(event.package);
      // Names in one column, as long as that leaves room for what is said of them.
      const label = paint(
        1,
        (output.columns ?? 80) < WIDE ? name : fitToWidth(name, Math.max(displayWidth(name), nameWidth)),
      );
      if (event.type === 'output') {
        const { lines: whole, current } = lines.take(event.package, event.stream, event.chunk);
        const newest = current === '' ? whole.at(-1) : current;
        if (newest !== undefined) last.set(event.package, newest);
        wrote(event.package, whole);
        return;
      }
      if (event.type === 'step') last.delete(event.package);
      if (event.type !== 'notice' && event.type !== 'state')
        wrote(event.package, lines.finish(event.package));
      if (event.type === 'failed')
        say(
          `${paint(31, '✗')} ${label}  ${failedWord(event)}${took === undefined ? '' : ` after ${duration(took)}`}: ${reason(event.diagnostics)}`,
        );
      if (options.quiet) return;
      if (event.type === 'retrying') say(`${paint(33, '!')} ${label}  ${retryText(event)}`);
      if (event.type === 'notice') say(`${paint(33, '!')} ${label}  ${escapeTerminal(event.message)}`);
      if (event.type === 'written')
        say(`${paint(32, '✓')} ${label}  ${outcomeText(event, took ?? event.milliseconds)}`);
      if (event.type === 'ran' && options.debug)
        say(
          `${paint(2, '·')} ${label}  image ${event.reference ?? 'not kept'} after ${duration(event.milliseconds)}`,
        );
    },
    draw() {
      drawing.draw(options.quiet && !stopping ? [] : view());
    },
    stop() {
      stopping = true;
    },
    end() {
      drawing.end();
    },
  };
}
