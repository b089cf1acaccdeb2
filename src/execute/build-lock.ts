import { decodeRecord, type ImageRecord, labels } from '../cache/index.ts';
import type { Engine } from '../engine/index.ts';
import type { ExecuteOptions } from './types.ts';

/** The right to make an image, or the image that another run has made meanwhile. */
export interface BuildLock {
  /** Absent where the image is to be made. */
  readonly made: ImageRecord | undefined;
  /** Lets other runs make the image. */
  release(): void;
}

/**
 * Takes the right to make a package's image, where runs share the engine's images and can wait for each other: each image
 * is made once. Says so where it waits for another run. `mayReuse` is whether an image of another run will do.
 */
export async function takeBuildLock(
  pack: string,
  reference: string,
  { engine, keepImages, onEvent, signal }: ExecuteOptions,
  mayReuse: boolean,
): Promise<BuildLock> {
  // Images that go with a run have names of their own.
  if (engine.claim === undefined || !keepImages) return { made: undefined, release: () => {} };
  const message = 'waits for another run that is making its image';
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
