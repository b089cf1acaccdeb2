import { CommanderError } from 'commander';
import { type Diagnostic, DiagnosticError, escapeTerminal } from '../diagnostic/index.ts';
import { FileError, refusal } from '../disk/index.ts';
import type { EngineError } from '../engine/index.ts';
import type { CommandEntry, CommandGroup } from './commands.ts';
import { type CliContext, createContext, type Surroundings } from './context.ts';
import { Interruption } from './interrupt.ts';
import { prepare } from './program.ts';
import { JsonLog } from './progress/json.ts';
import { printDiagnostics } from './report.ts';

/**
 * Runs one command line (without the program's own name) and answers the exit code: 0 done, 1 the work failed, 2 the command
 * line was wrong; where the run was aborted, the code of what aborted it. Never throws: what an action throws
 * is shown on standard error.
 */
export async function runCli(
  words: readonly string[],
  entries: readonly (CommandEntry | CommandGroup)[],
  around: Surroundings,
): Promise<number> {
  let exitCode = 0;
  let context: CliContext | undefined;
  try {
    const prepared = await prepare(words, entries, around, (code) => {
      exitCode = code;
    });
    context = prepared.context;
    await prepared.program.parseAsync([...prepared.argv], { from: 'user' });
  } catch (error) {
    exitCode = codeFor(error, context ?? createContext(around, {}, () => {}));
  }
  const reason: unknown = around.signal.reason;
  return reason instanceof Interruption ? reason.exitCode : exitCode;
}

/** Shows what went wrong and answers the exit code that stands for it. */
function codeFor(error: unknown, context: CliContext): number {
  // Commander has shown its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof DiagnosticError) {
    printDiagnostics(context, error.diagnostics);
    return 1;
  }
  // Known by name: their rooms are not loaded for commands that need none.
  if (error instanceof Error && /^(?:Engine|Image|Registry|Store)Error$/.test(error.name)) {
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

/** An engine, a registry or a place of images that fails is no bug of ours. */
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
