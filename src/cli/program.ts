import { Command, Option } from 'commander';
import { escapeTerminal } from '../diagnostic/index.ts';
import type { CommandEntry, CommandGroup, CommandModule } from './commands.ts';
import {
  type CliContext,
  type ContextFlags,
  createContext,
  logFormats,
  type Surroundings,
} from './context.ts';
import { examples } from './help.ts';
import { addLuetFlags, givenWithoutEffect } from './luet-flags.ts';
import { rewriteBooleans } from './options.ts';
import { version } from './version.ts';

/** A program whose chosen command is loaded, the words to parse with it, and the context it was given. */
export interface Prepared {
  readonly program: Command;
  readonly argv: readonly string[];
  readonly context: CliContext;
}

function base(around: Surroundings): Command {
  return (
    new Command('luet-ts')
      .description('Builds packages on containers from trees of definition.yaml and build.yaml files')
      .version(`luet-ts ${version}`, '--version', 'print the version (-v as the first word, too)')
      .helpOption('-h, --help', 'explain this command')
      .helpCommand('help [command]', 'explain a command')
      .addOption(new Option('-d, --debug', 'say more').helpGroup('Display:'))
      .addOption(new Option('-q, --quiet', 'results and errors only').helpGroup('Display:'))
      .addOption(new Option('--color', 'always colour').helpGroup('Display:'))
      .addOption(new Option('--no-color', 'never colour (as NO_COLOR)').helpGroup('Display:'))
      .addOption(
        new Option('--live-output', 'show what commands write, as they write it').helpGroup('Display:'),
      )
      .addOption(new Option('--no-spinner', 'plain lines, nothing drawn over').helpGroup('Display:'))
      .addOption(
        new Option('--log-format <format>', 'of progress and findings')
          .choices(logFormats)
          .helpGroup('Display:'),
      )
      .addOption(new Option('--fatal', 'fail where there is a warning').helpGroup('Display:'))
      // Luet's; nothing here is drawn with emoji.
      .addOption(new Option('--emoji').hideHelp())
      .addOption(new Option('--no-emoji').hideHelp())
      .addHelpText('after', examples)
      .exitOverride()
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({
        writeOut: (text) => around.stdout.write(text),
        writeErr: (text) => around.stderr.write(text),
        getOutHelpWidth: () => around.stdout.columns ?? 100,
        getErrHelpWidth: () => around.stderr.columns ?? 100,
        // Words of the command line are repeated here, whatever they hold.
        outputError: (text, write) => write(escapeTerminal(text)),
      })
  );
}

/** Adds commands to `parent`: the chosen one with its file, the others by name and summary alone. */
async function addCommands(
  parent: Command,
  entries: readonly (CommandEntry | CommandGroup)[],
  words: readonly string[],
  context: CliContext,
): Promise<Command> {
  const chosenName = words[0] === 'help' && parent.parent === null ? words[1] : words[0];
  let chosen = parent;
  for (const entry of entries) {
    if ('commands' in entry) {
      const rest = entry.name === chosenName ? words.slice(words.indexOf(chosenName) + 1) : [];
      // The flags of the group's own command are none of its other commands'.
      const isOwn = entry.name === chosenName && !entry.commands.some(({ name }) => name === rest[0]);
      const group =
        isOwn && entry.load !== undefined
          ? await ownCommand(parent, entry.name, entry.load, context)
          : parent.command(entry.name).description(entry.summary);
      const inner = await addCommands(group, entry.commands, rest, context);
      if (entry.name === chosenName) chosen = inner;
    } else if (entry.name === chosenName) {
      (await entry.load()).register(parent, context);
      chosen = parent.commands.find((c) => c.name() === entry.name) ?? parent;
      chosen.summary(entry.summary);
    } else {
      parent.command(entry.name).description(entry.summary);
    }
  }
  return chosen;
}

/** The command that a group's word is by itself. */
async function ownCommand(
  parent: Command,
  name: string,
  load: () => Promise<CommandModule>,
  context: CliContext,
): Promise<Command> {
  (await load()).register(parent, context);
  const own = parent.commands.find((one) => one.name() === name);
  if (own === undefined) throw new Error(`the file of ${name} adds no such command`);
  return own;
}

/**
 * The program for these words. Only the file of the command that they choose is loaded. Throws CommanderError
 * for words that are wrong already.
 */
export async function prepare(
  words: readonly string[],
  entries: readonly (CommandEntry | CommandGroup)[],
  around: Surroundings,
  setExitCode: (code: number) => void,
): Promise<Prepared> {
  // Read once for the flags that every command has and for the command's name; parsed in full by the caller.
  const glance = base(around);
  addLuetFlags(glance);
  // Behind a command, -v may be a flag of that command's.
  const globals = rewriteBooleans(words[0] === '-v' ? ['--version', ...words.slice(1)] : words, glance);
  const { operands } = glance.parseOptions(globals);
  const variables = hasVariables(around.env) ? await import('./luet-variables.ts') : undefined;
  variables?.applyVariables(around.env, glance);
  const context = createContext(around, glance.opts<ContextFlags>(), setExitCode);
  const program = base(around);
  const chosen = await addCommands(program, entries, operands, context);
  addLuetFlags(program, chosen);
  program.hook('preAction', async (_, command) => {
    refuseEmptyPlaces(command);
    const isGiven = (flag: string): boolean => program.getOptionValueSource(flag) === 'cli';
    if (isGiven('debug') && isGiven('quiet')) program.error('error: --debug and --quiet exclude each other');
    const unused = variables?.applyVariables(around.env, command) ?? [];
    const names = [...givenWithoutEffect(program), ...unused];
    if (names.length > 0) (await import('./notes.ts')).noteWithoutEffect(names, command, context);
  });
  const argv = rewriteBooleans(globals, chosen);
  return { program, argv: commandFirst(argv, glance, depthOf(chosen)), context };
}

/** What names a place on disk, in the help of flags and arguments. */
const places = /^(?:folder|file|path|tree|place|source|destination|from|to)$/;

/**
 * Ends the command where a place is named by an empty word, which is a variable of a script that is not set, and would else be taken for the
 * current folder.
 */
function refuseEmptyPlaces(command: Command): void {
  const isEmpty = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.includes(''));
  for (const option of command.options) {
    const kind = /<([\w-]+)>/.exec(option.flags)?.[1] ?? '';
    if (places.test(kind) && isEmpty(command.getOptionValue(option.attributeName())))
      command.error(`error: ${option.long} is given an empty word where a ${kind} is expected`);
  }
  command.registeredArguments.forEach((argument, at) => {
    if (places.test(argument.name()) && isEmpty(command.processedArgs[at]))
      command.error(`error: an empty word is given where a ${argument.name()} is expected`);
  });
}

/** Whether any of Luet's variables is set: hardly ever is one, and reading them takes time at each start. */
const hasVariables = (env: Surroundings['env']): boolean =>
  Object.keys(env).some((name) => /^LUET_(?!TS_)/.test(name));

const depthOf = (command: Command): number => (command.parent === null ? 0 : 1 + depthOf(command.parent));

/** Moves flags that stand before the command's words behind them: some belong to the command itself. */
function commandFirst(argv: readonly string[], { options }: Command, depth: number): readonly string[] {
  let at = 0;
  while (argv[at]?.startsWith('-') && argv[at] !== '--') {
    const option = options.find(({ long, short }) => argv[at] === long || argv[at] === short);
    at += option?.required ? 2 : 1;
  }
  const words = argv.slice(at, at + depth);
  if (words.some((word) => word.startsWith('-'))) return argv;
  return [...words, ...argv.slice(0, at), ...argv.slice(at + depth)];
}
