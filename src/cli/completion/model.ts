import type { ArgInput, FlagInput } from '@oclif/core/interfaces';
import { definitionsOf } from '../command.ts';
import type { CommandTable } from '../commands.ts';
import { commonFlags } from '../flags/common.ts';
import { choicesOf } from '../flags/define.ts';

/** What a value is completed with. */
export type ValueKind = 'file' | 'folder' | 'other' | readonly string[];

/** A flag that is completed. */
export interface CompletedFlag {
  /** `--name`, and `--no-name` where that is a flag of its own. */
  readonly long: string;
  /** `-n` */
  readonly short?: string;
  readonly summary: string;
  /** Absent for a flag without a value. */
  readonly value?: ValueKind;
  readonly isRepeatable: boolean;
}

/** A command, a topic or the program itself, whose words are completed. */
export interface CompletedCommand {
  /** Its words with blanks between; empty for the program itself. */
  readonly name: string;
  /** The words that may come next, with what they do. */
  readonly next: readonly (readonly [word: string, summary: string])[];
  readonly flags: readonly CompletedFlag[];
  /** What its arguments are completed with. */
  readonly argument: ValueKind;
}

/** Loads all commands, for what can be completed. */
export async function completed({ commands, topics }: CommandTable): Promise<readonly CompletedCommand[]> {
  const names = ['', ...new Set([...Object.keys(topics), ...Object.keys(commands)])];
  const summaries = {
    ...topics,
    ...Object.fromEntries(Object.entries(commands).map(([id, { summary }]) => [id, summary])),
  };
  return await Promise.all(
    names.map(async (id) => {
      const Class = commands[id] === undefined ? undefined : (await commands[id].load()).default;
      const depth = id === '' ? 0 : id.split(':').length;
      const next = names
        .filter(
          (one) =>
            one !== '' && one.startsWith(id === '' ? '' : `${id}:`) && one.split(':').length === depth + 1,
        )
        .map((one) => [one.split(':').at(-1) ?? '', summaries[one] ?? ''] as const);
      return {
        name: id.replaceAll(':', ' '),
        next: [...next, ...(id === '' ? [['help', 'show help for a command'] as const] : [])],
        flags: flagsOf(Class === undefined ? commonFlags : definitionsOf(Class)),
        argument: argumentKind(Class?.args ?? {}),
      };
    }),
  );
}

function flagsOf(definitions: FlagInput): CompletedFlag[] {
  return Object.entries(definitions).flatMap(([name, flag]) => {
    if (flag.hidden === true) return [];
    const { summary = '', char } = flag;
    const one: CompletedFlag = {
      long: `--${name}`,
      summary,
      isRepeatable: flag.type === 'option' && flag.multiple === true,
      ...(char === undefined ? {} : { short: `-${char}` }),
      ...(flag.type === 'option' ? { value: kindOf(String(flag.helpValue), choicesOf(flag)) } : {}),
    };
    const isNegatable = flag.type === 'boolean' && flag.allowNo;
    return isNegatable ? [one, { long: `--no-${name}`, summary, isRepeatable: false }] : [one];
  });
}

function kindOf(value: string, choices: readonly string[] | undefined): ValueKind {
  if (choices !== undefined) return choices;
  return value === '<folder>' ? 'folder' : value === '<file>' ? 'file' : 'other';
}

/** Arguments that name files, in the words that help uses for them. */
const FILES = new Set(['file', 'source', 'destination', 'place']);

function argumentKind(args: ArgInput): ValueKind {
  const names = Object.keys(args);
  const { options } = Object.values(args)[0] ?? {};
  if (options !== undefined) return options.map(String);
  if (names.some((name) => FILES.has(name))) return 'file';
  return names.some((name) => name === 'folder' || name === 'tree') ? 'folder' : 'other';
}
