import type { Engine } from '../engine/index.ts';
import { decodeRecord, type ImageRecord, labels } from './record.ts';
import type { BuildOptions } from './types.ts';

/** The right to make an image, or the image that another run has made meanwhile. */
export interface Turn {
  /** Absent where the image is to be made. */
  readonly made: ImageRecord | undefined;
  /** Lets others have their turn. */
  end(): void;
}

/**
 * Takes the turn to make a package's image, where runs share the engine's images and can wait for each other: each is made once. Says so
 * where another run has to be waited for.
 */
export async function takeTurn(
  pack: string,
  reference: string,
  { engine, keepImages, onEvent, signal }: BuildOptions,
  isWanted: boolean,
): Promise<Turn> {
  // Images that go with a run have names of its own.
  if (engine.claim === undefined || !keepImages) return { made: undefined, end: () => {} };
  const message = 'another run is making its image, which is waited for';
  const end = await engine.claim(
    reference,
    () => onEvent({ type: 'notice', package: pack, message }),
    signal,
  );
  try {
    return { made: isWanted ? await madeAlready(engine, reference) : undefined, end };
  } catch (error) {
    end();
    throw error;
  }
}

async function madeAlready(engine: Engine, reference: string): Promise<ImageRecord | undefined> {
  const at = reference.lastIndexOf(':');
  const held = await engine.list(reference.slice(0, at), reference.slice(at + 1));
  return decodeRecord(held.get(reference.slice(at + 1))?.labels[labels.record]);
}
