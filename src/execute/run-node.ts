import { encodeInputs, encodeRecord, labels } from '../cache/index.ts';
import { keptBy, topmost } from '../delta/index.ts';
import type { Changes, Workspace } from '../engine/index.ts';
import type { ResolvedPackage } from '../resolve/index.ts';
import type { BytePath, FileEntry, FileTree } from '../tar/index.ts';
import { runCommands } from './commands.ts';
import { PackageLog } from './log.ts';
import { closedOnFailure, type ReadyNode } from './open-node.ts';
import { isContext, pathList } from './path-list.ts';
import type { ExecuteOptions } from './types.ts';

/** The result of running prelude and steps, while the workspace is open. */
export interface FinishedRun {
  readonly workspace: Workspace;
  readonly changes: Changes;
  /** The topmost paths that steps added. */
  readonly added: readonly BytePath[];
  /** Labels for the image. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Runs a node's prelude and steps in a workspace opened by `open`, which works like `openNode`. The workspace
 * is open when this resolves, and closed when it rejects.
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
      const { steps } = pack;
      await runCommands(pack, workspace, 'prelude', new Map(environment.prelude), log, options);
      if (steps.length > 0) await workspace.mark();
      await runCommands(pack, workspace, 'steps', new Map(environment.steps), log, options);
      const changes =
        steps.length === 0 ? { added: [], changed: [], removed: [] } : await workspace.changes();
      reportLosses(pack, changes, options);
      const added = topmost(changes.added.map(({ path }) => path));
      return { workspace, changes, added, labels: labelsOf(ready, changes, added) };
    });
  } finally {
    if (log.problem !== undefined) onEvent({ type: 'notice', package: pack.key, message: log.hint });
    log.close();
  }
}

function labelsOf(
  { package: pack, identity: { key, inputs } }: ReadyNode,
  { changed, removed }: Changes,
  added: readonly BytePath[],
): Record<string, string> {
  return {
    [labels.package]: pack.key,
    [labels.key]: key,
    [labels.record]: encodeRecord({ added, changed, removed: removed.length }),
    ...(inputs === undefined ? {} : { [labels.inputs]: encodeInputs(inputs) }),
  };
}

/** Reports changed and removed paths that the package would contain if they were new. */
function reportLosses(
  { key, outputs: [own] }: ResolvedPackage,
  { changed, removed }: Changes,
  { onEvent }: ExecuteOptions,
): void {
  const report = (what: string, paths: readonly BytePath[]): void => {
    const meant =
      own === undefined
        ? []
        : keptBy(
            own.cut,
            paths.filter((path) => !isContext(path)),
          );
    if (meant.length > 0)
      onEvent({ type: 'notice', package: key, message: `steps ${what}: ${pathList(meant)}` });
  };
  report('changed existing files, which are not in the package', changed);
  report('removed existing files, which the package cannot represent', removed);
}

/** The files at and below recorded paths of an image. */
export async function filesBelow(
  from: Pick<FileTree, 'list'>,
  roots: readonly BytePath[],
): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for (const root of roots) files.push(...(await from.list(root)));
  return files;
}
