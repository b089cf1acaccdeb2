import { escapeTerminal, formatDiagnostic } from '../diagnostic/index.ts';
import type { BuildEvent, EventSink } from '../events/index.ts';
import type { CliContext } from './context.ts';
import { sourceReader } from './report.ts';
import { duration, size } from './units.ts';

/** Shows what a build does, on standard error. */
export interface Progress {
  readonly onEvent: EventSink<BuildEvent>;
  /** Takes away what is drawn over. */
  end(): void;
}

/** One package that is being worked on. */
interface Running {
  readonly since: number;
  step: string;
  last: string;
}

/** Of a longer line the end is shown, in bytes. */
const LONGEST_LINE = 4096;

const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

/** Progress for this terminal, or plain lines where there is none. */
export function createProgress(context: CliContext, clock: () => number): Progress {
  const { stderr, display, isTerminal } = context;
  const paint = (code: number, text: string): string =>
    context.errorColor ? `\x1b[${code}m${text}\x1b[0m` : text;
  const running = new Map<string, Running>();
  /** The last lines of what commands wrote, by package and stream, which are not at their end yet. */
  const unfinished = new Map<string, Map<string, string>>();
  const live = isTerminal && display.spinner && !display.quiet && !display.liveOutput;
  const showOutput = display.liveOutput || (!isTerminal && !display.quiet);
  let drawn = 0;
  let frame = 0;
  /** Planned packages that are not written yet; subpackages come along with theirs. */
  const waiting = new Set<string>();
  let total = 0;

  const erase = (): void => {
    if (drawn > 0) stderr.write(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  const draw = (): void => {
    if (!live) return;
    erase();
    const width = stderr.columns ?? 80;
    const rows = [...running].slice(0, 12).map(([name, { since, step, last }]) => {
      const head = `${frames[frame % frames.length]} ${name}  ${duration(clock() - since)}  ${step}`;
      return `${head}${last === '' ? '' : `  | ${last}`}`.slice(0, width - 1);
    });
    if (running.size > 12) rows.push(`  and ${running.size - 12} more`);
    if (total > 0 && running.size > 0)
      rows.push(`${total - waiting.size} of ${total} packages`.slice(0, width - 1));
    stderr.write(rows.map((row) => `${row}\n`).join(''));
    drawn = rows.length;
  };
  const say = (text: string): void => {
    erase();
    stderr.write(`${text}\n`);
    draw();
  };
  const timer = live
    ? setInterval(() => {
        frame++;
        draw();
      }, 100)
    : undefined;
  timer?.unref();
  const sources = sourceReader(context.cwd);

  const line = (name: string, text: string): void => {
    if (text === '') return;
    const safe = escapeTerminal(text);
    const entry = running.get(name);
    if (entry !== undefined) entry.last = safe.trim();
    if (showOutput) say(`${paint(2, `${name} |`)} ${safe}`);
  };
  const output = (name: string, stream: string, chunk: Uint8Array): void => {
    const lasts = unfinished.get(name) ?? new Map<string, string>();
    unfinished.set(name, lasts);
    // Bytes until a line is whole: a chunk may end in the middle of a character.
    const text = (lasts.get(stream) ?? '') + Buffer.from(chunk).toString('latin1');
    // A line that is drawn over ends at each return to its beginning.
    const lines = text.split(/\r?\n|\r/);
    lasts.set(stream, (lines.pop() ?? '').slice(-LONGEST_LINE));
    for (const one of lines) line(name, Buffer.from(one, 'latin1').toString('utf8'));
  };
  /** Shows what a command wrote behind its last newline, once it has ended. */
  const finish = (name: string): void => {
    const lasts = unfinished.get(name);
    unfinished.delete(name);
    for (const one of lasts?.values() ?? []) line(name, Buffer.from(one, 'latin1').toString('utf8'));
  };

  const onEvent = (event: BuildEvent): void => {
    const name = 'package' in event ? escapeTerminal(event.package) : '';
    const label = paint(1, name);
    switch (event.type) {
      case 'planned':
        for (const one of event.packages) waiting.add(one);
        total = waiting.size;
        break;
      case 'started':
        running.set(name, { since: clock(), step: event.work === 'cut' ? 'cutting' : 'starting', last: '' });
        if (!live && !display.quiet)
          say(`${label}: ${event.work === 'cut' ? 'cut from' : 'built on'} ${escapeTerminal(event.parent)}`);
        break;
      case 'step': {
        finish(name);
        const text = `${event.phase} ${event.index + 1}/${event.count}: ${escapeTerminal(event.command.trim().split('\n', 1)[0] ?? '')}`;
        const entry = running.get(name);
        if (entry !== undefined) {
          entry.step = text;
          entry.last = '';
        }
        if (!live && !display.quiet) say(`${label}: ${text}`);
        break;
      }
      case 'output':
        output(name, event.stream, event.chunk);
        break;
      case 'ran':
        finish(name);
        if (display.debug)
          say(`${label}: image ${event.reference ?? 'not kept'} after ${duration(event.milliseconds)}`);
        break;
      case 'written': {
        waiting.delete(event.package);
        finish(name);
        const entry = running.get(name);
        running.delete(name);
        if (display.quiet) break;
        const took = entry === undefined ? event.milliseconds : clock() - entry.since;
        const files = `${event.files} file${event.files === 1 ? '' : 's'}`;
        const how = {
          built: `built in ${duration(took)}`,
          cut: `cut in ${duration(took)}`,
          empty: 'empty',
          unchanged: 'unchanged',
        }[event.outcome];
        const what =
          event.outcome === 'empty' || event.outcome === 'unchanged'
            ? how
            : `${how}, ${files}, ${size(event.size)}`;
        say(`${paint(32, '✓')} ${label}: ${what}`);
        break;
      }
      case 'notice':
        if (!display.quiet) say(`${paint(33, '!')} ${label}: ${escapeTerminal(event.message)}`);
        break;
      case 'failed':
        finish(name);
        running.delete(name);
        say(`${paint(31, '✗')} ${label}: failed`);
        for (const diagnostic of event.diagnostics)
          say(formatDiagnostic(diagnostic, { color: context.errorColor, source: sources }));
        break;
      case 'skipped':
        say(`${paint(33, '-')} ${label}: not built, because ${escapeTerminal(event.because)} failed`);
        break;
    }
  };
  return {
    onEvent,
    end() {
      clearInterval(timer);
      erase();
      drawn = 0;
    },
  };
}
