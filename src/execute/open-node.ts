import { LinkError } from '../delta/index.ts';
import type { Reader, Workspace } from '../engine/index.ts';
import type {
  EnvironmentVariables,
  KnownIdentity,
  ResolvedNode,
  ResolvedPackage,
  Retrieved,
} from '../resolve/index.ts';
import { CopyError, copyInto } from './copy.ts';
import { PackageFailure } from './failure.ts';
import type { ExecuteOptions } from './types.ts';
import { BUILD_FOLDER, contextEntries } from './upload.ts';

/** A node that is ready to run, with everything that its commands need. */
export interface ReadyNode {
  readonly node: ResolvedNode;
  readonly package: ResolvedPackage;
  readonly identity: KnownIdentity;
  readonly environment: { readonly prelude: EnvironmentVariables; readonly steps: EnvironmentVariables };
  readonly retrieved: readonly Retrieved[];
  /** Reference of the image that it runs on. */
  readonly parent: string;
  /** References of the images of its `copy` items, in order. */
  readonly copySources: readonly string[];
}

/**
 * Opens the workspace for a node's commands on its parent's image, and adds the context, retrieved files and
 * copied files. If it rejects, nothing stays open.
 */
export async function openNode(ready: ReadyNode, options: ExecuteOptions): Promise<Workspace> {
  const { engine, signal, network, memory, processes } = options;
  const { node, package: pack, environment, retrieved, identity, parent } = ready;
  const context = node.context ?? { files: [] };
  const entries = await contextEntries(pack.folder, context, retrieved, identity.latest);
  signal.throwIfAborted();
  const workspace = await engine.open({
    image: parent,
    environment: new Map(environment.steps),
    folder: BUILD_FOLDER,
    signal,
    ...(network === undefined ? {} : { network }),
    memory,
    processes,
  });
  return await closedOnFailure(workspace, signal, async () => {
    await workspace.upload(entries);
    await copyAll(ready, workspace, options);
    return workspace;
  });
}

/** Runs work in a workspace, and closes the workspace if the work fails or is aborted. */
export async function closedOnFailure<T>(
  workspace: Workspace,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
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

/** Executes the `copy` items. Each image is opened once. */
async function copyAll(
  { node, package: pack, copySources }: ReadyNode,
  workspace: Workspace,
  { engine, signal }: ExecuteOptions,
): Promise<void> {
  const readers = new Map<string, Reader>();
  try {
    for (const [at, { source, destination, place }] of node.copies.entries()) {
      const image = copySources[at] ?? '';
      const reader = readers.get(image) ?? (await engine.openForReading(image, signal));
      readers.set(image, reader);
      await copyInto(workspace, reader, source, destination).catch((error: unknown) => {
        if (!(error instanceof CopyError || error instanceof LinkError)) throw error;
        const message = `copy: ${error.message}`;
        throw new PackageFailure(pack, [{ code: 'nothing-to-copy', message, place }]);
      });
    }
  } finally {
    await Promise.all([...readers.values()].map((reader) => reader.close()));
  }
}
