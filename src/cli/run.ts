import { type Diagnostic, DiagnosticError, escapeTerminal } from '../diagnostic/index.ts';
import { FileError, refusal } from '../disk/index.ts';
import type { EngineError } from '../engine/index.ts';
import type { ChosenCommand, CommandTable } from './commands.ts';
import { CliConfig } from './config.ts';
import { type CliContext, createContext, type Output, type Surroundings } from './context.ts';
import { commonFlags, luetFlags } from './flags/common.ts';
import { Interruption } from './interrupt.ts';
import { JsonLog } from './progress/json.ts';
import { printDiagnostics } from './report.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';
import { locate } from './words/locate.ts';

/**
 * The command that a command line chooses, ready to run. Only its file is loaded. Answers an exit code where
 * help or the version was printed instead. Throws a UsageError for words that are wrong.
 */
export async function prepare(
  words: readonly string[],
  table: CommandTable,
  around: Surroundings,
  setExitCode: (code: number) => void,
): Promise<ChosenCommand | number> {
  const config = new CliConfig(around, setExitCode);
  // Behind a command, -v may be a flag of that command's.
  const given = words[0] === '-v' ? ['--version', ...words.slice(1)] : words;
  const { id, isHelp, rest } = locate(given, table, { ...luetFlags, ...commonFlags });
  const entry = table.commands[id];
  const asked = entry === undefined ? await askedOfAll(rest) : undefined;
  if (asked === 'version') return printVersion(around);
  if (isHelp || asked === 'help') return await printHelp(id, config, table, around.stdout, 0);
  if (entry === undefined) return await printHelp(id, config, table, around.stderr, 2);
  const Class = (await entry.load()).default;
  Class.id = id;
  const command = new Class([...rest], config);
  const instead = await command.init();
  if (instead === 'version') return printVersion(around);
  return instead === 'help' ? await printHelp(id, config, table, around.stdout, 0) : command;
}

/**
 * Whether words without a command ask for help or for the version. Throws a UsageError where they are wrong.
 */
async function askedOfAll(words: readonly string[]): Promise<'help' | 'version' | undefined> {
  const { readWords } = await import('./words/given.ts');
  const { flags } = readWords(words, { ...luetFlags, ...commonFlags });
  return flags.has('version') ? 'version' : flags.has('help') ? 'help' : undefined;
}

function printVersion({ stdout }: Surroundings): number {
  stdout.write(`luet-ts ${version}\n`);
  return 0;
}

/** Prints help, and answers the exit code that goes with it. */
async function printHelp(
  id: string,
  config: CliConfig,
  table: CommandTable,
  output: Output,
  code: number,
): Promise<number> {
  const { helpOf } = await import('./help.ts');
  output.write(await helpOf(id, config, table, output));
  return code;
}

/**
 * Runs one command line (without the program's own name) and answers the exit code: 0 done, 1 the work
 * failed, 2 the command line was wrong; where the run was aborted, the code of what aborted it. Never throws:
 * what an action throws is shown on standard error.
 */
export async function runCli(
  words: readonly string[],
  table: CommandTable,
  around: Surroundings,
): Promise<number> {
  let exitCode = 0;
  let context: CliContext | undefined;
  try {
    const command = await prepare(words, table, around, (code) => {
      exitCode = code;
    });
    if (typeof command === 'number') exitCode = command;
    else {
      context = command.context;
      await command.run();
    }
  } catch (error) {
    exitCode = codeFor(error, context ?? createContext(around, {}, () => {}));
  }
  const reason: unknown = around.signal.reason;
  return reason instanceof Interruption ? reason.exitCode : exitCode;
}

/** Shows what went wrong and answers the exit code that stands for it. */
function codeFor(error: unknown, context: CliContext): number {
  if (error instanceof UsageError) {
    // Words of the command line are repeated here, whatever they hold.
    for (const problem of error.problems) context.stderr.write(`${escapeTerminal(`error: ${problem}`)}\n`);
    return 2;
  }
  if (error instanceof DiagnosticError) {
    printDiagnostics(context, error.diagnostics);
    return 1;
  }
  // Known by name: their rooms are not loaded for commands that need none.
  if (error instanceof Error && /^(?:Config|Engine|Image|Registry|Store)Error$/.test(error.name)) {
    printDiagnostics(context, [finding(error)]);
    return 1;
  }
  if (context.signal.aborted && (error === context.signal.reason || isAbort(error))) return 1;
  const refused = refusal(error);
  if (refused !== undefined) {
    printDiagnostics(context, refused.diagnostics);
    if (context.display.debug) context.stderr.write(`${escapeTerminal(stackOf(error))}\n`);
    return 1;
  }
  const stack = stackOf(error);
  if (context.display.logFormat === 'json') {
    new JsonLog(context.stderr, context.now).write({ type: 'bug', stack });
    return 1;
  }
  context.stderr.write(
    `${escapeTerminal(stack)}\n\nThis is a bug in luet-ts: please report it with the lines above.\n`,
  );
  return 1;
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** A finding for an engine, a registry or a place of images that failed: that is not a bug. */
function finding(error: Error): Diagnostic {
  const { kind, hint, advice, cause } = error as Partial<EngineError>;
  const isEngine = error.name === 'EngineError' || error.name === 'StoreError';
  const ofFile = cause instanceof FileError ? 'file-failed' : 'engine-failed';
  const isFull = kind === 'no-space' || (cause instanceof FileError && cause.isFull);
  return {
    code: isFull ? 'no-space' : isEngine ? ofFile : 'image-failed',
    severity: 'error',
    message: error.message,
    ...(hint === undefined ? {} : { hint }),
    ...(advice === undefined ? {} : { advice }),
  };
}

/** Node's own functions throw errors of this name when their signal is aborted. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
