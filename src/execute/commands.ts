import type { Place } from '../diagnostic/index.ts';
import { EngineError, NoShellError, type OutputListener, type Workspace } from '../engine/index.ts';
import type { ResolvedPackage } from '../resolve/index.ts';
import { CommandInterrupted, PackageFailure } from './failure.ts';
import type { PackageLog } from './log.ts';
import type { ExecuteOptions } from './types.ts';

/** One command of a package, and its position in its phase. */
interface PhaseCommand {
  readonly package: ResolvedPackage;
  readonly phase: 'prelude' | 'steps';
  readonly index: number;
  readonly count: number;
  readonly text: string;
  readonly place: Place;
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Runs the commands of one phase, one after the other. Rejects with a `PackageFailure` at the first one that
 * fails.
 */
export async function runCommands(
  pack: ResolvedPackage,
  workspace: Workspace,
  phase: PhaseCommand['phase'],
  environment: ReadonlyMap<string, string>,
  log: PackageLog,
  options: ExecuteOptions,
): Promise<void> {
  const commands = pack[phase];
  for (const [index, { value: text, place }] of commands.entries())
    await runCommand(
      { package: pack, phase, index, count: commands.length, text, place, environment },
      workspace,
      log,
      options,
    );
}

async function runCommand(
  command: PhaseCommand,
  workspace: Workspace,
  log: PackageLog,
  { onEvent, clock }: ExecuteOptions,
): Promise<void> {
  const { package: pack, phase, index, count, text, place, environment } = command;
  const event = { package: pack.key, phase, index, count };
  onEvent({ type: 'step', ...event, command: text });
  log.command(phase, text);
  const start = clock();
  // A shell would silently drop the character.
  if (text.includes('\0')) throw failed(command, 'a command cannot contain a NUL character', log);
  let exit: number;
  try {
    const onOutput: OutputListener = (stream, chunk) => {
      log.output(chunk);
      onEvent({ type: 'output', package: pack.key, stream, chunk });
    };
    exit = await workspace.run(text, onOutput, environment);
  } catch (error) {
    if (!(error instanceof EngineError) || error instanceof NoShellError) throw error;
    throw new CommandInterrupted(error, `${phase}: ${firstLine(text)}`, place, [endOf(log), log.hint]);
  }
  onEvent({ type: 'stepped', ...event, exit, milliseconds: clock() - start });
  if (exit !== 0)
    throw failed(command, exit > 128 ? `killed by signal ${exit - 128}` : `exit code ${exit}`, log);
}

function failed(
  { package: pack, phase, text, place }: PhaseCommand,
  why: string,
  log: PackageLog,
): PackageFailure {
  const message = `${phase}: ${why}: ${firstLine(text)}`;
  const notes = [{ message: endOf(log) }];
  return new PackageFailure(pack, [{ code: 'step-failed', message, place, notes, hint: log.hint }]);
}

function endOf(log: PackageLog): string {
  const tail = log.tail();
  return tail.length === 0
    ? 'the command wrote no output'
    : `end of its output:\n${tail.map((line) => `    ${line}`).join('\n')}`;
}

function firstLine(command: string): string {
  const line = command.trim().split('\n', 1)[0] ?? '';
  return line.length > 120 || command.trim().includes('\n') ? `${line.slice(0, 119)}…` : line;
}
