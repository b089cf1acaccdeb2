import { CommanderError } from 'commander';
import { DiagnosticError, escapeTerminal } from '../diagnostic/index.ts';
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
  // An engine that fails is no bug of ours. Known by name: its room is not loaded for commands that need none.
  if (error instanceof Error && error.name === 'EngineError') {
    printDiagnostics(context, [{ code: 'engine-failed', severity: 'error', message: error.message }]);
    return 1;
  }
  if (error instanceof Error && (error.name === 'ImageError' || error.name === 'RegistryError')) {
    printDiagnostics(context, [{ code: 'image-failed', severity: 'error', message: error.message }]);
    return 1;
  }
  if (context.signal.aborted && (error === context.signal.reason || isAbort(error))) return 1;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (context.display.logFormat === 'json') {
    new JsonLog(context.stderr, context.now).write({ type: 'bug', stack });
    return 1;
  }
  context.stderr.write(
    `${escapeTerminal(stack)}\n\nThis is a bug in luet-ts: please report it with the lines above.\n`,
  );
  return 1;
}

/** Node's own functions throw errors of this name when their signal is aborted. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
