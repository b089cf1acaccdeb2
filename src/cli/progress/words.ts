import { type Diagnostic, escapeTerminal, messageBehindName } from '../../diagnostic/index.ts';
import type { BuildEvent, Fault } from '../../events/index.ts';
import { duration, size } from '../units.ts';

/** Puts a colour around text, or does not. */
export type Paint = (code: number, text: string) => string;

/** Paints where colours are wanted. */
export const painter =
  (color: boolean): Paint =>
  (code, text) =>
    color ? `\x1b[${code}m${text}\x1b[0m` : text;

/** How a package came about: `built in 1.2 s, 3 files, 20.0 kB`. */
export function outcomeText(event: BuildEvent & { readonly type: 'written' }, took: number): string {
  const { outcome, files, size: bytes } = event;
  if (outcome === 'unchanged') return outcome;
  const what = `${files} file${files === 1 ? '' : 's'}, ${size(bytes)}`;
  return outcome === 'empty' ? outcome : `${outcome} in ${duration(took)}, ${what}`;
}

/** The first line of a text, escaped, with an ellipsis where there are more. */
export function firstLine(text: string): string {
  const [line = '', ...more] = text.trim().split('\n');
  return escapeTerminal(line) + (more.length > 0 ? ' …' : '');
}

/** What became of a package that failed: whether the fault is its own. */
export function failedWord({ fault }: { readonly fault?: Fault }): string {
  return fault === undefined ? 'failed' : 'not finished';
}

/** Says that a package is started again, and why. */
export function retryText(event: BuildEvent & { readonly type: 'retrying' }): string {
  const when = event.milliseconds === 0 ? '' : ` in ${duration(event.milliseconds)}`;
  return `started again${when} (${event.attempt} of ${event.attempts}): ${escapeTerminal(event.message)}`;
}

/** Events of the whole build, not of one package. */
export type EngineEvent = BuildEvent & {
  readonly type: 'engine-gone' | 'engine-back' | 'not-isolated' | 'cache-note' | 'explained';
};

/** Whether an event is one of the whole build. */
export const isEngineEvent = (event: BuildEvent): event is EngineEvent =>
  ['engine-gone', 'engine-back', 'not-isolated', 'cache-note', 'explained'].includes(event.type);

/** What an event of the whole build says. */
export function engineText(event: EngineEvent): string {
  if (event.type === 'not-isolated' || event.type === 'cache-note' || event.type === 'explained')
    return escapeTerminal(event.message);
  if (event.type === 'engine-back') return `the engine is back after ${duration(event.milliseconds)}`;
  return `the engine does not answer; waiting up to ${duration(event.milliseconds)} for it: ${escapeTerminal(event.message)}`;
}

/** Why a package failed, in one line. */
export function reason(diagnostics: readonly Diagnostic[]): string {
  const [first] = diagnostics;
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
  return `${firstLine(first === undefined ? '' : messageBehindName(first))}${more}`;
}

/** What is done on an interruption, to be read at once. */
export function stoppingText(running: number): string {
  const what = running === 0 ? '' : `ending ${running} package${running === 1 ? '' : 's'} and `;
  return `stopping: ${what}removing containers; press Ctrl-C again to stop at once`;
}
