import type { FlagInput } from '@oclif/core/interfaces';
import { nearest } from '../../diagnostic/index.ts';
import type { CommandTable } from '../commands.ts';
import { UsageError } from '../usage-error.ts';
import { type AnyFlag, byChar } from './given.ts';

/**
 * What a command line asks for: a command, or help about one, about a topic, or about everything (an empty
 * id).
 */
export interface Located {
  /** Words with `:` between. */
  readonly id: string;
  readonly isHelp: boolean;
  /** The other words, in their order. */
  readonly rest: readonly string[];
}

/**
 * How many words a flag that stands before the command's name takes; undefined where it is no flag of all
 * commands.
 */
function lengthOf(word: string, common: FlagInput): number | undefined {
  if (!word.startsWith('--')) {
    const [, flag] = byChar(common, word.charAt(1)) ?? [];
    return flag === undefined ? undefined : flag.type === 'option' && word.length === 2 ? 2 : 1;
  }
  const [name = ''] = word.slice(2).split('=', 1);
  const flag = (common[name] ?? common[name.replace(/^no-/, '')]) as AnyFlag | undefined;
  return flag === undefined ? undefined : flag.type === 'option' && !word.includes('=') ? 2 : 1;
}

/**
 * Finds the words that name a command; flags that all commands have may stand between them. Throws a
 * UsageError where there is no such command.
 */
export function locate(words: readonly string[], table: CommandTable, common: FlagInput): Located {
  const found: string[] = [];
  const rest: string[] = [];
  let isHelp = false;
  let at = 0;
  const idWith = (word: string): string => [...found, word].join(':');
  while (at < words.length) {
    const word = words[at] ?? '';
    if (word === '--') break;
    if (word.startsWith('-') && word !== '-') {
      const length = lengthOf(word, common);
      if (length === undefined) break;
      rest.push(...words.slice(at, at + length));
      at += length;
      continue;
    }
    if (word === 'help' && !isHelp && table.commands[found.join(':')] === undefined) isHelp = true;
    else if (idWith(word) in table.commands || idWith(word) in table.topics) found.push(word);
    else if (found.join(':') in table.commands) break;
    else throw unknownCommand(word, found, table);
    at++;
  }
  return { id: found.join(':'), isHelp, rest: [...rest, ...words.slice(at)] };
}

function unknownCommand(
  word: string,
  found: readonly string[],
  { commands, topics }: CommandTable,
): UsageError {
  const siblings = [...Object.keys(commands), ...Object.keys(topics)]
    .map((id) => id.split(':'))
    .filter((parts) => parts.length === found.length + 1 && found.every((part, i) => parts[i] === part))
    .flatMap((parts) => parts.slice(-1));
  const meant = nearest(word, siblings);
  return new UsageError(
    `unknown command '${[...found, word].join(' ')}'${meant === undefined ? '' : `\n(Did you mean ${[...found, meant].join(' ')}?)`}`,
  );
}
