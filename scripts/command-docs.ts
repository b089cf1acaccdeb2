/**
 * Writes the generated parts of docs/commands.md from the classes of the commands: `node
 * scripts/command-docs.ts`. With `--check` it writes nothing, and fails where the file is not what it would
 * write. What stands between the parts is written by people.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandClass, commandTable } from '../src/cli/commands.ts';
import { commonFlags } from '../src/cli/flags/common.ts';

const file = join(import.meta.dirname, '../docs/commands.md');

type AnyFlag = CommandClass['flags'][string];

/** Text as a cell of a table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function flagRow([name, flag]: readonly [string, AnyFlag]): string {
  const value = flag.type === 'option' ? ` ${String(flag.helpValue ?? '<value>')}` : '';
  const isNegatable = flag.type === 'boolean' && flag.allowNo;
  const names = [
    ...(flag.char === undefined ? [] : [`-${flag.char}`]),
    `--${name}${value}`,
    ...(isNegatable ? [`--no-${name}`] : []),
  ];
  const { summary = '', description } = flag;
  const more = description === undefined ? '' : `. ${description}`;
  const start =
    typeof flag.default === 'string' || typeof flag.default === 'number' ? flag.default : undefined;
  const otherwise = start === undefined ? '' : ` (default: \`${start}\`)`;
  const written = names.map((one) => `\`${one.replaceAll('|', '\\|')}\``).join(', ');
  return `| ${written} | ${cell(summary)}${otherwise}${cell(more)} |`;
}

function flagTable(flags: CommandClass['flags']): string[] {
  const rows = Object.entries(flags).filter(([, { hidden }]) => hidden !== true);
  return rows.length === 0 ? [] : ['| flag | meaning |', '|---|---|', ...rows.map(flagRow), ''];
}

/** The part about one command: how it is called, its arguments, flags and examples. */
function commandPart(id: string, { args, flags, description = '', examples }: CommandClass): string[] {
  const all = Object.entries(args).map(([name, { required, multiple, description: what = '' }]) => {
    const word = `${name.toUpperCase()}${multiple === true ? '...' : ''}`;
    return { word: required === true ? word : `[${word}]`, what };
  });
  const words = ['luet-ts', ...id.split(':'), ...all.map(({ word }) => word), '[FLAGS]'];
  const rows = all.map(({ word, what }) => `| \`${word}\` | ${cell(what)} |`);
  const lines = examples.flatMap((one) => (typeof one === 'string' ? [] : [`    ${one.command}`]));
  return [
    `    ${words.join(' ')}`,
    '',
    ...description.split('\n').flatMap((line) => [`${line.replace(/\.$/, '')}.`, '']),
    ...(rows.length === 0 ? [] : ['| argument | meaning |', '|---|---|', ...rows, '']),
    ...flagTable(flags),
    ...lines,
    '',
  ];
}

/** Every generated part, by its name. */
async function parts(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { commands } = commandTable;
  const rows = Object.entries(commands).map(([id, { summary }]) => {
    const words = id.replaceAll(':', ' ');
    return `| [\`${words}\`](#${id.replaceAll(':', '-')}) | ${cell(summary)} |`;
  });
  const found = new Map<string, readonly string[]>([
    ['commands', ['| command | what it does |', '|---|---|', ...rows, '']],
    ['display', flagTable(commonFlags)],
  ]);
  for (const [id, { load }] of Object.entries(commands))
    found.set(id.replaceAll(':', ' '), commandPart(id, (await load()).default));
  return found;
}

/**
 * The text with all parts as they are now. Throws an Error for a part that has no place, or a place without a
 * part.
 */
function withParts(text: string, all: ReadonlyMap<string, readonly string[]>): string {
  const left = new Set(all.keys());
  const written = text.replaceAll(
    /(<!-- begin (.*) -->\n)[\s\S]*?(<!-- end \2 -->)/g,
    (_, begin: string, name: string, end: string) => {
      const lines = all.get(name);
      if (lines === undefined)
        throw new Error(`docs/commands.md has a part for '${name}', which is not a command`);
      left.delete(name);
      return `${begin}\n${lines.join('\n')}\n${end}`;
    },
  );
  if (left.size > 0)
    throw new Error(
      `docs/commands.md needs parts for ${[...left].map((name) => `'${name}': '<!-- begin ${name} -->' and '<!-- end ${name} -->'`).join('; ')}`,
    );
  return written;
}

const text = readFileSync(file, 'utf8');
const written = withParts(text, await parts());
if (!process.argv.includes('--check')) writeFileSync(file, written);
else if (written !== text) {
  process.stderr.write('docs/commands.md is not what the commands say: run `node scripts/command-docs.ts`\n');
  process.exitCode = 1;
}
