import { escapeTerminal } from '../../diagnostic/index.ts';
import type { BuildEvent } from '../../events/index.ts';
import type { Output } from '../context.ts';
import { duration } from '../units.ts';
import { OutputLines } from './output-lines.ts';
import type { BuildState } from './state.ts';
import {
  engineText,
  failedWord,
  firstLine,
  isEngineEvent,
  outcomeText,
  type Paint,
  reason,
  retryText,
  stoppingText,
} from './words.ts';

/** What lines are written of. */
export interface PlainOptions {
  readonly output: Output;
  readonly state: BuildState;
  readonly paint: Paint;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Whether what commands write is shown. */
  readonly showOutput: boolean;
}

/** Lines that only ever follow each other, each beginning with its package's name. */
export interface PlainLines {
  /** Takes an event that the state has taken, and how long its package has been worked on. */
  take(event: BuildEvent, took: number | undefined): void;
  /** Says that it is stopping. */
  stop(): void;
}

/** Plain lines, for logs and for people without a terminal. */
export function createPlainLines(options: PlainOptions): PlainLines {
  const { output, state, paint, quiet, debug, showOutput } = options;
  const lines = new OutputLines();
  const say = (name: string, text: string): void =>
    void output.write(`${paint(1, escapeTerminal(name))}: ${text}\n`);
  const wrote = (name: string, whole: readonly string[]): void => {
    if (showOutput && whole.length > 0)
      output.write(whole.map((line) => `${paint(2, `${escapeTerminal(name)} |`)} ${line}\n`).join(''));
  };
  return {
    take(event, took) {
      // Lines tell of what happens, which says more than the states between.
      if (event.type === 'planned' || event.type === 'state') return;
      if (isEngineEvent(event)) {
        if (!quiet) output.write(`${paint(33, 'note')}: ${engineText(event)}\n`);
        return;
      }
      const { package: name } = event;
      if (event.type === 'output') {
        wrote(name, lines.take(name, event.stream, event.chunk).lines);
        return;
      }
      if (event.type !== 'notice') wrote(name, lines.finish(name));
      if (event.type === 'failed')
        say(
          name,
          `${paint(31, failedWord(event))}${took === undefined ? '' : ` after ${duration(took)}`}: ${reason(event.diagnostics)}`,
        );
      else if (event.type === 'skipped')
        say(name, `not built, because it needs ${escapeTerminal(event.because)}, which failed`);
      else if (event.type === 'stopped')
        say(name, `stopped, because ${escapeTerminal(event.because)} failed`);
      else if (quiet) return;
      else if (event.type === 'started')
        say(name, `${event.work === 'cut' ? 'cut from' : 'built on'} ${escapeTerminal(event.parent)}`);
      else if (event.type === 'step')
        say(name, `${event.phase} ${event.index + 1}/${event.count}: ${firstLine(event.command)}`);
      else if (event.type === 'stepped' && debug)
        say(
          name,
          `${event.phase} ${event.index + 1}/${event.count}: exit code ${event.exit} after ${duration(event.milliseconds)}`,
        );
      else if (event.type === 'ran' && debug)
        say(
          name,
          `image ${escapeTerminal(event.reference ?? 'not kept')} after ${duration(event.milliseconds)}`,
        );
      else if (event.type === 'reused' && debug)
        say(name, `image ${escapeTerminal(event.reference)} was there`);
      else if (event.type === 'retrying') say(name, `${paint(33, 'note')}: ${retryText(event)}`);
      else if (event.type === 'notice') say(name, `${paint(33, 'note')}: ${escapeTerminal(event.message)}`);
      else if (event.type === 'written') say(name, outcomeText(event, took ?? event.milliseconds));
    },
    stop() {
      output.write(`${stoppingText(state.running.size)}\n`);
    },
  };
}
