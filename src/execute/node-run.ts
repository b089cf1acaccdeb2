import { setImmediate } from 'node:timers/promises';
import type { ImageRecord, Offered, OfferedImage, StepPaths } from '../cache/index.ts';
import type { Changes, Workspace } from '../engine/index.ts';
import { takeBuildLock } from './build-lock.ts';
import { finish } from './finish.ts';
import { imageName } from './names.ts';
import type { NodeStates } from './node-states.ts';
import { openNode, type ReadyNode } from './open-node.ts';
import { PrefetchedWorkspace } from './prefetch.ts';
import { type FinishedRun, runNode } from './run-node.ts';
import type { BuiltPackage, ExecuteOptions } from './types.ts';
import type { WorkQueue } from './work-queue.ts';

/** An image made by this run, or found because another run made it. */
export interface MadeImage {
  /** Empty if no image was made, because nothing needs it. */
  readonly reference: string;
  readonly paths: StepPaths;
  /** Whether an image with the same key from another machine replaced the one made by this run. */
  readonly isReplaced: boolean;
}

/** Options of one run of a node. */
export interface NodeRunOptions {
  readonly ready: ReadyNode;
  readonly queue: WorkQueue;
  readonly states: NodeStates;
  /** Nodes with a higher priority get a slot first. */
  readonly priority: number;
  /** Whether an image that another run made in the meantime can be used. */
  readonly mayReuse: boolean;
  /** Offers the image to the cache, if it stays in the engine. */
  readonly offer: (image: OfferedImage) => Promise<Offered>;
  /** Called as soon as the image can be used. */
  readonly onImage: (image: MadeImage) => void;
  /** Writes the packages of the node. Undefined if no packages are to be cut from this run. */
  readonly write?: (from: Workspace, changes: Changes) => Promise<readonly BuiltPackage[]>;
}

/** The result of a run. */
export type NodeRunResult =
  | { readonly packages: readonly BuiltPackage[] }
  /** The image of another run is used, and packages must be cut from it. */
  | { readonly reused: MadeImage };

/** How far one run of a node has come. */
interface Progress {
  made?: MadeImage;
  /** The packages, once their writing has begun. */
  finished?: Promise<readonly BuiltPackage[]>;
  /** Lets other runs make the image. May be called again. */
  release(): void;
}

/**
 * Runs one node completely: waits for a slot, runs the commands, makes the image if it is needed, and cuts
 * the packages.
 */
export async function runNodeCompletely(
  run: NodeRunOptions,
  options: ExecuteOptions,
): Promise<NodeRunResult> {
  const { ready, queue, states, priority } = run;
  const workspace = new PrefetchedWorkspace(async () => {
    await queue.reportIsolation();
    return await openNode(ready, options);
  });
  const progress: Progress = { release: () => {} };
  try {
    const reused = await queue.inSlot(ready.package, { priority, prepare: () => workspace.start() }, () =>
      runInSlot(run, () => workspace.take(), progress, options),
    );
    if (reused !== undefined) return { reused };
    const packages = (await progress.finished) ?? [];
    const { made } = progress;
    if (made?.isReplaced === true) return { reused: made };
    states.set(ready.node.id, 'done');
    return { packages };
  } finally {
    await progress.finished?.catch(() => {});
    progress.release();
    await workspace.discard();
  }
}

/** The part of a run that takes a slot: until its image is there, and its packages are about to be written. */
async function runInSlot(
  run: NodeRunOptions,
  open: () => Promise<Workspace>,
  progress: Progress,
  options: ExecuteOptions,
): Promise<MadeImage | undefined> {
  const { ready, queue, states, mayReuse, onImage, write } = run;
  const { id } = ready.node;
  const reference = imageName(ready.identity.key, options);
  const start = options.clock();
  const lock = await takeBuildLock(ready.package.key, reference, options, mayReuse);
  progress.release = () => lock.release();
  if (lock.made !== undefined) return reuse(run, reference, lock.made, options);
  states.set(id, 'running');
  const ran = await runNode(ready, open, options);
  states.set(id, 'committing');
  const committed = commit(run, ran, reference, start, options).then((image) => {
    progress.made = image;
    states.set(id, 'packing');
    onImage(image);
  });
  committed.catch(() => {});
  const packing =
    write &&
    packer(
      committed,
      () => progress.made,
      () => write(ran.workspace, ran.changes),
      options,
    );
  const finishing = finish(ran, committed, queue.finishing, packing);
  progress.finished = finishing.written;
  // The slot is for others as soon as the image is there, unless too many packages are waiting to be written.
  await Promise.race([finishing.started, finishing.written]);
  await committed;
  progress.release();
  // Packages that waited for the image are in the queue now, before the slot is given to anyone.
  await setImmediate();
  return undefined;
}

/** Writes packages, unless the image of another run counts: whose does is known when it has been offered. */
function packer(
  committed: Promise<void>,
  made: () => MadeImage | undefined,
  write: () => Promise<readonly BuiltPackage[]>,
  { cache }: ExecuteOptions,
): () => Promise<readonly BuiltPackage[]> {
  return async () => {
    if (cache !== undefined) await committed;
    return made()?.isReplaced === true ? [] : await write();
  };
}

function reuse(
  { ready, onImage }: NodeRunOptions,
  reference: string,
  paths: ImageRecord,
  { onEvent }: ExecuteOptions,
): MadeImage {
  const image = { reference, paths, isReplaced: false };
  onEvent({ type: 'reused', package: ready.package.key, reference });
  onImage(image);
  return image;
}

/** Makes the image if it is kept or another node needs it, and offers it to the cache if it is kept. */
async function commit(
  { ready, offer }: NodeRunOptions,
  ran: FinishedRun,
  reference: string,
  start: number,
  { keepImages, onEvent, clock }: ExecuteOptions,
): Promise<MadeImage> {
  const isMade = keepImages || ready.node.isNeeded;
  if (isMade) await ran.workspace.commit(reference, ran.labels, !keepImages);
  const milliseconds = clock() - start;
  const named = isMade ? { reference } : {};
  onEvent({ type: 'ran', package: ready.package.key, ...named, milliseconds });
  const { key, inputs } = ready.identity;
  const offered = keepImages
    ? await offer({ key, reference, package: ready.package.key, inputs })
    : undefined;
  const isReplaced = offered?.kind === 'replaced';
  const paths = (isReplaced ? offered.record : undefined) ?? {
    added: ran.added,
    changed: ran.changes.changed,
  };
  return { reference: isMade ? reference : '', paths, isReplaced };
}
