import { decodeRecord, type ImageRecord, labels } from '../cache/index.ts';
import type { Engine } from '../engine/index.ts';
import type { ExecuteOptions } from './types.ts';

/** The exclusive right to make an image, or the image if another run has made it in the meantime. */
export interface BuildLock {
  /** Undefined if this run must make the image. */
  readonly made: ImageRecord | undefined;
  /** Allows other runs to make the image. */
  release(): void;
}

/**
 * Acquires the lock for a package's image. If several runs share the engine's images and the engine supports
 * locks, each image is made only once. Reports when it waits for another run. `mayReuse` says whether an
 * image of another run can be used.
 */
export async function takeBuildLock(
  pack: string,
  reference: string,
  { engine, keepImages, onEvent, signal }: ExecuteOptions,
  mayReuse: boolean,
): Promise<BuildLock> {
  // Images that are removed with their run have names that no other run uses.
  if (engine.claim === undefined || !keepImages) return { made: undefined, release: () => {} };
  const message = 'waiting for another run, which is making the same image';
  const release = await engine.claim(
    reference,
    () => onEvent({ type: 'notice', package: pack, message }),
    signal,
  );
  try {
    return { made: mayReuse ? await madeAlready(engine, reference) : undefined, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function madeAlready(engine: Engine, reference: string): Promise<ImageRecord | undefined> {
  const at = reference.lastIndexOf(':');
  const held = await engine.list(reference.slice(0, at), reference.slice(at + 1));
  return decodeRecord(held.get(reference.slice(at + 1))?.labels[labels.record]);
}
