import { encodeInputs, encodeRecord, labels } from '../cache/index.ts';
import { topmost } from '../delta/index.ts';
import type { Changes, Workspace } from '../engine/index.ts';
import { type BytePath, type FileEntry, type FileTree, toText } from '../tar/index.ts';
import { runCommands } from './commands.ts';
import { PackageLog } from './log.ts';
import { closedOnFailure, type ReadyNode } from './open-node.ts';
import type { ExecuteOptions } from './types.ts';

/** What one run of prelude and steps left, while its workspace is open. */
export interface FinishedRun {
  readonly workspace: Workspace;
  readonly changes: Changes;
  /** The topmost paths that steps added. */
  readonly added: readonly BytePath[];
  /** Labels for the image of it. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Runs a node's prelude and steps in a workspace that `open` gives as `openNode` does. The workspace is open when this
 * resolves, and closed when it rejects.
 */
export async function runNode(
  ready: ReadyNode,
  open: () => Promise<Workspace>,
  options: ExecuteOptions,
): Promise<FinishedRun> {
  const { signal, onEvent, logs } = options;
  const { package: pack, parent, environment } = ready;
  const log = new PackageLog(logs, pack.fingerprint);
  try {
    signal.throwIfAborted();
    onEvent({ type: 'started', package: pack.key, work: 'run', parent, log: log.path });
    const workspace = await open();
    return await closedOnFailure(workspace, signal, async () => {
      const { prelude, steps } = pack;
      if (prelude.length > 0) await workspace.setEnvironment(new Map(environment.prelude));
      await runCommands(pack, workspace, 'prelude', log, options);
      await workspace.setEnvironment(new Map(environment.steps));
      if (steps.length > 0) await workspace.mark();
      await runCommands(pack, workspace, 'steps', log, options);
      const changes =
        steps.length === 0 ? { added: [], changed: [], removed: [] } : await workspace.changes();
      reportLosses(pack.key, changes, options);
      const added = topmost(changes.added.map(({ path }) => path));
      return { workspace, changes, added, labels: labelsOf(ready, changes, added) };
    });
  } finally {
    if (log.problem !== undefined) onEvent({ type: 'notice', package: pack.key, message: log.hint });
    log.close();
  }
}

function labelsOf(
  { package: pack, identity: { inputs } }: ReadyNode,
  { changed, removed }: Changes,
  added: readonly BytePath[],
): Record<string, string> {
  return {
    [labels.package]: pack.key,
    [labels.record]: encodeRecord({ added, changed: changed.length, removed: removed.length }),
    ...(inputs === undefined ? {} : { [labels.inputs]: encodeInputs(inputs) }),
  };
}

/** Reports what steps did that the package does not hold. */
function reportLosses(pack: string, { changed, removed }: Changes, { onEvent }: ExecuteOptions): void {
  const name = (paths: readonly BytePath[]): string => {
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

/** The files at and below recorded paths, as they lie in an image. */
export async function filesBelow(
  from: Pick<FileTree, 'list'>,
  roots: readonly BytePath[],
): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for (const root of roots) files.push(...(await from.list(root)));
  return files;
}
