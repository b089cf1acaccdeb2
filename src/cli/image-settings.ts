import { type Command, InvalidArgumentError } from 'commander';
import type { RunSettings } from '../image/index.ts';

/** Flags that say how what an image holds is run, as commander gives them. */
export interface SettingFlags {
  readonly env?: readonly string[];
  readonly cmd?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly workdir?: string;
  readonly label?: readonly string[];
}

/** Adds the flags that say how what an image holds is run. */
export function addSettingFlags(command: Command): Command {
  return command
    .option('--env <variable>', 'NAME=value, set for what runs in it (repeatable)', variable)
    .option('--cmd <command>', 'what runs in it: words, or a JSON array of them (default: /bin/sh)', words)
    .option('--entrypoint <command>', 'a program that --cmd gives the arguments for', words)
    .option('--user <user>', 'who runs it: USER or USER:GROUP, names or numbers (default: root)', user)
    .option('--workdir <folder>', 'where it runs: an absolute path (default: /)', folder)
    .option('--label <label>', 'NAME=value, a label of the image (repeatable)', label);
}

/** The settings that flags give. */
export function settingsOf({
  env,
  cmd,
  entrypoint,
  user: who,
  workdir,
  label: labels,
}: SettingFlags): RunSettings {
  return {
    ...(env === undefined ? {} : { env }),
    ...(cmd === undefined ? {} : { command: cmd }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(who === undefined ? {} : { user: who }),
    ...(workdir === undefined ? {} : { workingDirectory: workdir }),
    ...(labels === undefined ? {} : { labels: Object.fromEntries(labels.map(halves)) }),
  };
}

const halves = (text: string): [name: string, value: string] => {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
};

/** Reads `--env`. Values may have commas in them. */
function variable(value: string, previous: readonly string[] | undefined): string[] {
  if (!/^[^=\0]+=[^\0]*$/.test(value)) throw new InvalidArgumentError('Expected NAME=value.');
  return [...(previous ?? []), value];
}

/** Reads `--label`. */
function label(value: string, previous: readonly string[] | undefined): string[] {
  if (!/^[^=\s\0]+=[^\0]*$/.test(value)) throw new InvalidArgumentError('Expected NAME=value.');
  return [...(previous ?? []), value];
}

/** Reads a command: no shell splits it, so what would mean something to one has to be written as an array. */
function words(value: string): string[] {
  if (value.trimStart().startsWith('[')) {
    let list: unknown;
    try {
      list = JSON.parse(value);
    } catch {
      // Said below.
    }
    if (!Array.isArray(list) || !list.every((one) => typeof one === 'string' && !one.includes('\0')))
      throw new InvalidArgumentError('Expected a JSON array of strings, such as ["/usr/bin/hello", "a b"].');
    return list as string[];
  }
  if (value.trim() === '') throw new InvalidArgumentError('Expected a command, or [] for none.');
  if (/["'\\$`|&;<>()*?~\0]/.test(value))
    throw new InvalidArgumentError(
      'No shell reads it: write words with special characters as a JSON array, such as ["/bin/sh", "-c", "exec hello $NAME"].',
    );
  return value.trim().split(/\s+/);
}

function user(value: string): string {
  if (!/^[^\s:\0]+(?::[^\s:\0]+)?$/.test(value))
    throw new InvalidArgumentError('Expected USER or USER:GROUP, such as nobody or 1000:1000.');
  return value;
}

function folder(value: string): string {
  if (!/^\/[^\0]*$/.test(value)) throw new InvalidArgumentError('Expected an absolute path, such as /srv.');
  return value;
}
