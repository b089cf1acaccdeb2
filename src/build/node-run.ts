import { topmost } from '../delta/index.ts';
import { type Changes, EngineError, type FileEntry, type Reader, type Workspace } from '../engine/index.ts';
import type { PlanNode } from '../plan/index.ts';
import { fingerprint, type Located } from '../spec/index.ts';
import { toText } from '../tar/index.ts';
import { BUILD_FOLDER, contextEntries } from './context.ts';
import { CopyError, copyInto } from './copy.ts';
import type { Facts } from './facts.ts';
import { CommandCut, PackageFailure } from './failure.ts';
import { PackageLog } from './log.ts';
import { LinkError } from './paths.ts';
import { encodeRecord, labels } from './record.ts';
import type { BuildOptions } from './types.ts';

/** What one run of prelude and steps left, while its workspace is open. */
export interface Ran {
  readonly workspace: Workspace;
  readonly changes: Changes;
  /** The topmost paths that steps added. */
  readonly added: readonly string[];
  /** Labels for the image of it. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Opens the workspace that a package's prelude and steps run in, on its parent's image, and puts in what they find there: the
 * context, what is retrieved and what is copied. `copySources` are the images that `copy` entries come from, in their order.
 */
export async function openNode(
  node: PlanNode,
  parent: string,
  copySources: readonly string[],
  facts: Facts,
  options: BuildOptions,
): Promise<Workspace> {
  const { engine, signal, network, memory, processes } = options;
  const { steps } = await facts.environments(node);
  signal.throwIfAborted();
  const workspace = await engine.open({
    image: parent,
    environment: steps,
    folder: BUILD_FOLDER,
    signal,
    ...(network === undefined ? {} : { network }),
    memory,
    processes,
  });
  return await orClosed(workspace, signal, async () => {
    const [context, retrieved, time] = [
      await facts.context(node),
      await facts.retrieved(node),
      await facts.latest(node),
    ];
    await workspace.upload(contextEntries(context, retrieved, time));
    await copyAll(node, workspace, copySources, options);
    return workspace;
  });
}

/** Works in a workspace, which is closed where that fails, and at once where it is aborted. */
async function orClosed<T>(workspace: Workspace, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const stop = (): void => void workspace.close().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    await workspace.close().catch(() => {});
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Runs a package's prelude and steps in a workspace that `open` gives as `openNode` does. The workspace is open when this
 * resolves, and closed when it rejects.
 */
export async function runNode(
  node: PlanNode,
  parent: string,
  open: () => Promise<Workspace>,
  facts: Facts,
  options: BuildOptions,
): Promise<Ran> {
  const { signal, onEvent } = options;
  const { package: pack } = node;
  const log = new PackageLog(options.logs, fingerprint(pack.definition));
  try {
    const environments = await facts.environments(node);
    signal.throwIfAborted();
    onEvent({ type: 'started', package: pack.key, work: 'run', parent, log: log.path });
    const workspace = await open();
    return await orClosed(workspace, signal, async () => {
      const { prelude = [], steps = [] } = pack.build ?? {};
      if (prelude.length > 0) await workspace.setEnvironment(environments.prelude);
      await runCommands(node, workspace, 'prelude', prelude, log, options);
      await workspace.setEnvironment(environments.steps);
      if (steps.length > 0) await workspace.mark();
      await runCommands(node, workspace, 'steps', steps, log, options);
      const changes =
        steps.length === 0 ? { added: [], changed: [], removed: [] } : await workspace.changes();
      notice(pack.key, changes, options);
      const added = topmost(changes.added.map(({ path }) => path));
      const record = encodeRecord({
        added,
        changed: changes.changed.length,
        removed: changes.removed.length,
      });
      return { workspace, changes, added, labels: { [labels.package]: pack.key, [labels.record]: record } };
    });
  } finally {
    if (log.problem !== undefined) onEvent({ type: 'notice', package: pack.key, message: log.hint });
    log.close();
  }
}

/** Does what `copy` says. Each image is opened once. */
async function copyAll(
  { package: pack, copies }: PlanNode,
  workspace: Workspace,
  sources: readonly string[],
  { engine, signal }: BuildOptions,
): Promise<void> {
  const readers = new Map<string, Reader>();
  try {
    for (const [at, { entry }] of copies.entries()) {
      const image = sources[at] ?? '';
      const reader = readers.get(image) ?? (await engine.openForReading(image, signal));
      readers.set(image, reader);
      await copyInto(workspace, reader, entry.source, entry.destination).catch((error: unknown) => {
        if (!(error instanceof CopyError || error instanceof LinkError)) throw error;
        const message = `copy: ${error.message}`;
        throw new PackageFailure(pack, [{ code: 'nothing-to-copy', message, place: entry.place }]);
      });
    }
  } finally {
    await Promise.all([...readers.values()].map((reader) => reader.close()));
  }
}

async function runCommands(
  node: PlanNode,
  workspace: Workspace,
  phase: 'prelude' | 'steps',
  commands: readonly Located<string>[],
  log: PackageLog,
  { onEvent, clock }: BuildOptions,
): Promise<void> {
  const { key } = node.package;
  for (const [index, { value: command, place }] of commands.entries()) {
    onEvent({ type: 'step', package: key, phase, index, count: commands.length, command });
    log.command(phase, command);
    const start = clock();
    const shown = (): string => {
      const tail = log.tail();
      return tail.length === 0
        ? 'it wrote nothing'
        : `the end of its output:\n${tail.map((line) => `    ${line}`).join('\n')}`;
    };
    const fail = (message: string): PackageFailure =>
      new PackageFailure(node.package, [
        {
          code: 'step-failed',
          message: `${phase}: ${message}: ${oneLine(command)}`,
          place,
          notes: [{ message: shown() }],
          hint: log.hint,
        },
      ]);
    // A shell would leave it out without a word.
    if (command.includes('\0')) throw fail('no shell takes a command with a NUL character in it');
    let code: number;
    try {
      code = await workspace.run(command, (stream, chunk) => {
        log.output(chunk);
        onEvent({ type: 'output', package: key, stream, chunk });
      });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new CommandCut(error, `${phase}: ${oneLine(command)}`, place, [shown(), log.hint]);
    }
    const milliseconds = clock() - start;
    onEvent({
      type: 'stepped',
      package: key,
      phase,
      index,
      count: commands.length,
      exit: code,
      milliseconds,
    });
    if (code !== 0) throw fail(code > 128 ? `killed by signal ${code - 128}` : `exit code ${code}`);
  }
}

const oneLine = (command: string): string => {
  const line = command.trim().split('\n', 1)[0] ?? '';
  return line.length > 120 || command.trim().includes('\n') ? `${line.slice(0, 119)}…` : line;
};

/** Tells what steps did that the package does not hold. */
function notice(pack: string, { changed, removed }: Changes, { onEvent }: BuildOptions): void {
  const name = (paths: readonly string[]): string => {
    const shown = paths.slice(0, 3).map((path) => `/${toText(path)}`);
    return paths.length > shown.length
      ? `${shown.join(', ')} and ${paths.length - shown.length} more`
      : shown.join(', ');
  };
  if (changed.length > 0)
    onEvent({
      type: 'notice',
      package: pack,
      message: `steps changed what was there already, which the package does not hold: ${name(changed)}`,
    });
  if (removed.length > 0)
    onEvent({
      type: 'notice',
      package: pack,
      message: `steps removed what was there already, which the package cannot hold: ${name(removed)}`,
    });
}

/** The files below recorded roots, as they lie in an image. */
export async function filesBelow(
  from: Pick<Workspace, 'list'>,
  roots: readonly string[],
): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for (const root of roots) files.push(...(await from.list(root)));
  return files;
}
