import { relative } from 'node:path';
import { type Diagnostic, escapeTerminal, formatDiagnostic, messageBehindName } from '../diagnostic/index.ts';
import type { CliContext } from './context.ts';
import type { BuildState } from './progress/index.ts';
import { JsonLog } from './progress/json.ts';
import { cutToWidth } from './progress/width.ts';
import { failedWord, firstLine, painter } from './progress/words.ts';
import { sourceReader } from './report.ts';
import { duration } from './units.ts';

/** What the summary says besides the state of the build. */
export interface Ending {
  readonly milliseconds: number;
  /** Absolute paths of the folders with packages and with what commands wrote. */
  readonly destination: string;
  readonly logs: string;
  readonly interrupted: boolean;
}

/** A step is listed as slow only if it took at least so many milliseconds. */
const SLOW = 1000;

/** Columns of a line that is cut, where there is no terminal. */
const WIDTH = 110;

/** Words of several words, as a field. */
const jsonWord: Readonly<Record<string, string>> = { 'not built': 'skipped', 'not finished': 'unfinished' };

/** Names in one line, before the others are only counted. */
const NAMES = 8;

/** What was interrupted, with what each package was doing. */
function workingRow(state: BuildState, interrupted: boolean): string[] {
  const working = interrupted ? state.working() : [];
  if (working.length === 0) return [];
  const shown = working.slice(0, NAMES).map((one) => `${escapeTerminal(one.package)} (${one.state})`);
  const more = working.length - shown.length;
  return [`at work: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}

/**
 * The last lines of a build: how many packages became what, what was slow, where everything is, and, behind
 * all else, what failed and why.
 */
export function summarize(state: BuildState, ending: Ending, context: CliContext): void {
  const { stderr, display } = context;
  const counts = state.counts();
  const { milliseconds, interrupted, destination, logs } = ending;
  if (display.logFormat === 'json') {
    new JsonLog(stderr, context.now).write({
      type: 'ended',
      interrupted,
      counts: Object.fromEntries(counts.map(({ word, count }) => [jsonWord[word] ?? word, count])),
      reused: state.reused.size,
      milliseconds: Math.round(milliseconds),
      destination,
      logs,
    });
    return;
  }
  const paint = painter(context.errorColor);
  const ran = [...state.durations.keys()].length + state.failed.length > 0;
  const rows: string[] = [];
  const sources = sourceReader(context.cwd);
  for (const { diagnostics } of state.failed)
    for (const diagnostic of diagnostics)
      rows.push('', formatDiagnostic(diagnostic, { color: context.errorColor, source: sources }));
  if (state.failed.length > 0) rows.push('');
  if (!display.quiet || state.failed.length > 0) {
    const left = state.open.size;
    const all = counts.map(({ word, count }) => `${count} ${word}`);
    if (interrupted && left > 0) all.push(`${left} not started or not finished`);
    const what = all.join(', ') || 'nothing to build';
    rows.push(paint(1, `${interrupted ? 'interrupted: ' : ''}${what} in ${duration(milliseconds)}`));
  }
  if (!display.quiet) {
    rows.push(...workingRow(state, interrupted));
    if (state.reused.size > 0) rows.push(`images: ${state.reused.size} reused, ${state.durations.size} made`);
    for (const [at, step] of state.slowest.filter((one) => one.milliseconds >= SLOW).entries()) {
      const head = at === 0 ? 'slowest: ' : '         ';
      const row = `${head}${duration(step.milliseconds).padStart(7)}  ${escapeTerminal(step.package)} ${step.phase} ${step.index + 1}/${step.count}: ${firstLine(step.command)}`;
      rows.push(cutToWidth(row, stderr.isTTY ? (stderr.columns ?? WIDTH) : WIDTH));
    }
    if (state.written.size > 0) rows.push(`packages: ${escapeTerminal(near(destination, context))}`);
    if (ran) rows.push(`logs: ${escapeTerminal(near(logs, context))}`);
  }
  rows.push(...unbuilt(state));
  for (const failure of state.failed)
    rows.push(
      `${paint(31, failedWord(failure))}: ${paint(1, escapeTerminal(failure.package))}${cause(failure.diagnostics)}`,
    );
  if (rows.length > 0) stderr.write(`${rows.join('\n')}\n`);
}

/**
 * Packages that were not built: those that need one that failed, and those that can be built all the same.
 */
function unbuilt({ skipped, stopped, failed }: BuildState): string[] {
  const rows = [...Map.groupBy(skipped, ({ because }) => because)].map(
    ([because, some]) =>
      `not built, needs ${escapeTerminal(because)}: ${names(some.map((one) => one.package))}`,
  );
  if (stopped.length === 0) return rows;
  // Without an engine nothing can be continued.
  const goesOn = failed.some(({ fault }) => fault === undefined) ? ' (--keep-going goes on)' : '';
  return [...rows, `stopped${goesOn}: ${names(stopped.map((one) => one.package))}`];
}

function names(all: readonly string[]): string {
  const more = all.length - NAMES;
  return `${all.slice(0, NAMES).map(escapeTerminal).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A path as it is shortest. */
function near(path: string, { cwd }: CliContext): string {
  const below = relative(cwd, path);
  return below === '' ? '.' : below.length < path.length && !below.startsWith('..') ? below : path;
}

function cause([first]: readonly Diagnostic[]): string {
  const place = first?.place;
  const at =
    place === undefined ? '' : ` at ${place.file}${place.line === undefined ? '' : `:${place.line}`}`;
  return `${escapeTerminal(at)}: ${firstLine(first === undefined ? '' : messageBehindName(first))}`;
}
