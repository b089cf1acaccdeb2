import type { Command } from '@oclif/core/command';
import { CommandHelp, Help } from '@oclif/core/help';
import type { ArgInput, FlagInput } from '@oclif/core/interfaces';
import { definitionsOf } from './command.ts';
import type { CommandClass, CommandTable } from './commands.ts';
import type { CliConfig } from './config.ts';
import { mayColor, type Output } from './context.ts';
import { commonFlags } from './flags/common.ts';

/** What a reader may want to do first, under the top-level help. */
const examples: Command.Example[] = [
  {
    command: 'luet-ts build --tree tree --all --destination out',
    description: 'build every package of tree/',
  },
  { command: 'luet-ts build --tree tree utils/hello', description: 'build one package and what it needs' },
  { command: 'luet-ts tree validate tree', description: 'find mistakes without building' },
  { command: 'luet-ts engine', description: 'show which container engine would be used' },
  { command: 'luet-ts image pull debian:12', description: 'fetch an image from its registry' },
];

const NOTES = `A tree is a folder of packages: definition.yaml names one, build.yaml says how it is built.
Exit codes: 0 done, 1 the work failed, 2 the command line was wrong, 130 and 143 interrupted.
'luet-ts help COMMAND' explains a command.
`;

/** Columns of lines where there is no terminal, or one that does not know its size; and the least. */
const WIDTH = 100;
const NARROWEST = 40;

/** Help about one command: oclif's, with a short usage line, and examples a line each. */
class OneCommand extends CommandHelp {
  protected override defaultUsage(): string {
    const { id, args } = this.command;
    const words = Object.values(args ?? {}).map((arg) => {
      const name = `${arg.name.toUpperCase()}${arg.multiple === true ? '...' : ''}`;
      return arg.required === true ? name : `[${name}]`;
    });
    return [id, ...words, '[FLAGS]'].join(' ');
  }

  /** What the description says beyond its first line, which stands above the help. */
  protected override description(): string | undefined {
    const [, ...more] = (this.command.description ?? '').split('\n');
    return more.length === 0 ? undefined : this.wrap(more.join('\n'));
  }

  /** oclif cuts the blanks before the first row. */
  override renderList(...given: Parameters<CommandHelp['renderList']>): string {
    const [first = ''] = given[0][0] ?? [];
    return `${/^ */.exec(first)?.[0] ?? ''}${super.renderList(...given)}`;
  }

  protected override examples(all: Command.Example[] | undefined | string): string | undefined {
    if (!Array.isArray(all) || all.length === 0) return undefined;
    return this.renderList(rowsOf(all), {
      indentation: 2,
      spacer: '\n',
      stripAnsi: this.opts.stripAnsi ?? false,
    });
  }
}

const rowsOf = (all: readonly Command.Example[]): [string, string][] =>
  all.flatMap((one) => (typeof one === 'string' ? [] : [[one.command, one.description]]));

/** What oclif's help knows of a command that is not loaded: its name and what it does. */
function entryOf(id: string, summary: string): Command.Loadable {
  return {
    ...{ id, summary, aliases: [], hiddenAliases: [], args: {}, flags: {}, hidden: false },
    load: () => Promise.reject(new Error(`${id} is loaded by the table of commands`)),
  };
}

/** oclif's help, with the commands of a table, as text. */
class LuetHelp extends Help {
  readonly #table: CommandTable;
  text = '';

  constructor(config: CliConfig, table: CommandTable, output: Output) {
    super(config, {
      maxWidth: Math.max(NARROWEST, output.columns || WIDTH),
      stripAnsi: !mayColor(undefined, config.around.env, output),
      flagSortOrder: 'none',
    });
    this.#table = table;
    this.CommandHelpClass = OneCommand;
  }

  protected override log(...lines: string[]): void {
    this.text += `${lines.join(' ')}\n`;
  }

  /** The first line of help about a command, which oclif does not wrap. */
  protected override summary(command: Command.Loadable): string | undefined {
    const text = super.summary(command);
    return text === undefined || !command.description ? text : this.wrap(text, 0);
  }

  protected override get sortedCommands(): Command.Loadable[] {
    return Object.entries(this.#table.commands).map(([id, { summary }]) => entryOf(id, summary));
  }

  protected override get sortedTopics(): { name: string; description: string }[] {
    return Object.entries(this.#table.topics).map(([name, description]) => ({ name, description }));
  }

  async showAll(): Promise<void> {
    this.log(
      this.wrap('Builds packages on containers from trees of definition.yaml and build.yaml files', 0),
      '\n',
    );
    this.log(this.section('USAGE', '$ luet-ts COMMAND [FLAGS]'), '\n');
    this.log(this.formatCommands(this.sortedCommands.filter(({ id }) => !id.includes(':'))), '\n');
    this.log(this.formatTopics(this.sortedTopics), '\n');
    const flags = { ...commonFlags, version: { ...commonFlags.version, hidden: false } };
    const root = { ...entryOf('', ''), flags: withNames(flags) as Command.Cached['flags'] };
    const display = new OneCommand(root, this.config, { ...this.opts, sections: ['flags'] });
    this.log(display.generate(), '\n');
    this.log(this.section('EXAMPLES', rowsOf(examples)), '\n');
    this.log(this.wrap(NOTES.trimEnd(), 0));
  }

  async showTopic(name: string): Promise<void> {
    await this.showTopicHelp({ name, description: this.#table.topics[name] ?? '' });
  }

  async showClass(id: string, Class: CommandClass): Promise<void> {
    const { description = '', examples = [] } = Class;
    await this.showCommandHelp({
      ...entryOf(id, ''),
      description,
      examples: [...examples],
      args: withNames(Class.args) as Command.Cached['args'],
      flags: withNames(definitionsOf(Class)) as Command.Cached['flags'],
    });
  }
}

/** Arguments or flags with their names in them, as oclif's help has them. */
function withNames(all: ArgInput | FlagInput): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [name, { ...one, name }]));
}

/** Help about a command, a topic, or everything (an empty id), as it is written to `output`. */
export async function helpOf(
  id: string,
  config: CliConfig,
  table: CommandTable,
  output: Output,
): Promise<string> {
  const help = new LuetHelp(config, table, output);
  const entry = table.commands[id];
  if (entry !== undefined) await help.showClass(id, (await entry.load()).default);
  else if (id in table.topics) await help.showTopic(id);
  else await help.showAll();
  return `${help.text
    .trimEnd()
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')}\n`;
}
