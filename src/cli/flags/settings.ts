import { InvalidValue } from '../usage-error.ts';
import { repeatable, withValue } from './define.ts';

/** Reads `--env`. Values may have commas in them. */
function variable(value: string): string {
  if (!/^[^=\0]+=[^\0]*$/.test(value)) throw new InvalidValue('Expected NAME=value.');
  return value;
}

/** Reads `--label`. */
function label(value: string): string {
  if (!/^[^=\s\0]+=[^\0]*$/.test(value)) throw new InvalidValue('Expected NAME=value.');
  return value;
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
      throw new InvalidValue('Expected a JSON array of strings, such as ["/usr/bin/hello", "a b"].');
    return list as string[];
  }
  if (value.trim() === '') throw new InvalidValue('Expected a command, or [] for none.');
  if (/["'\\$`|&;<>()*?~\0]/.test(value))
    throw new InvalidValue(
      'No shell reads it: write words with special characters as a JSON array, such as ["/bin/sh", "-c", "exec hello $NAME"].',
    );
  return value.trim().split(/\s+/);
}

function user(value: string): string {
  if (!/^[^\s:\0]+(?::[^\s:\0]+)?$/.test(value))
    throw new InvalidValue('Expected USER or USER:GROUP, such as nobody or 1000:1000.');
  return value;
}

function folder(value: string): string {
  if (!/^\/[^\0]*$/.test(value)) throw new InvalidValue('Expected an absolute path, such as /srv.');
  return value;
}

/** The flags that say how what an image holds is run. */
export const settingFlags = {
  env: repeatable({
    value: '<variable>',
    summary: 'environment variable for what runs in the image: NAME=value (repeatable)',
    description: 'Without a PATH, the usual one is set.',
    read: variable,
  }),
  cmd: withValue({
    value: '<command>',
    summary: 'command that runs in the image: words, or a JSON array of them (default: /bin/sh)',
    description: 'No shell reads it. [] is no command, which is also the default beside --entrypoint.',
    read: words,
  }),
  entrypoint: withValue({
    value: '<command>',
    summary: 'program that --cmd gives the arguments for',
    read: words,
  }),
  user: withValue({
    value: '<user>',
    summary: 'user who runs it: USER or USER:GROUP, names or numbers (default: root)',
    read: user,
  }),
  workdir: withValue({
    value: '<path>',
    summary: 'folder that it runs in: an absolute path (default: /)',
    read: folder,
  }),
  label: repeatable({
    value: '<label>',
    summary: 'label of the image: NAME=value (repeatable)',
    read: label,
  }),
};
