import type { Command } from 'commander';
import { escapeTerminal } from '../diagnostic/index.ts';
import type { CliContext } from './context.ts';
import { JsonLog } from './progress/json.ts';

/** Says once which settings were given that change nothing. */
export function noteWithoutEffect(
  names: readonly string[],
  command: Command,
  { stderr, display, now }: CliContext,
): void {
  if (display.quiet) return;
  const all = names.length === 1 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  const are = names.length === 1 ? 'is a setting' : 'are settings';
  const message = `${all} ${are} of Luet that ${fullName(command)} does not need`;
  if (display.logFormat === 'json') new JsonLog(stderr, now).write({ type: 'note', message });
  else stderr.write(`note: ${escapeTerminal(message)}\n`);
}

const fullName = (command: Command): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
