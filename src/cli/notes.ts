import { escapeTerminal } from '../diagnostic/index.ts';
import type { CliContext } from './context.ts';
import { JsonLog } from './progress/json.ts';

/** Says once which settings were given that change nothing. `title` is the command, as a user writes it. */
export function noteWithoutEffect(names: readonly string[], title: string, context: CliContext): void {
  const all = names.length === 1 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  const are = names.length === 1 ? 'is a setting' : 'are settings';
  note(`${all} ${are} of Luet that ${title} does not need`, context);
}

/** Says what an answer leaves open, or what was taken for what; not with `--quiet`. */
export function note(message: string, { stderr, display, now }: CliContext): void {
  if (display.quiet) return;
  if (display.logFormat === 'json') new JsonLog(stderr, now).write({ type: 'note', message });
  else stderr.write(`note: ${escapeTerminal(message)}\n`);
}
