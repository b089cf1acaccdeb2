import {
  type ImageRecord,
  type Store,
  StoreError,
  type StoreImages,
  storeFailure,
} from '../../store/index.ts';
import { EngineError } from '../errors.ts';

/** What the parts of one native engine share while it is open. */
export interface EngineState {
  readonly store: Store;
  readonly images: StoreImages;
  readonly now: () => Date;
  /** Names of temporary images, which are removed when the engine is closed. */
  readonly temporary: Set<string>;
  /** What is closed before the engine is: workspaces, and views of images. */
  readonly opened: Set<Closable>;
}

/** Something that is closed once. */
export interface Closable {
  close(): Promise<void>;
}

/** Closes something that was opened by an engine. */
export async function closeOpened({ opened }: EngineState, one: Closable): Promise<void> {
  await one.close();
  opened.delete(one);
}

/** The record of an image, which counts as used now. Throws an `EngineError` where there is none. */
export function recordOf({ store, now }: EngineState, reference: string): ImageRecord {
  const record = store.use(reference, now());
  if (record === undefined) throw missingImage(reference);
  return record;
}

/** The error for an image that the store does not hold. */
export const missingImage = (image: string): EngineError =>
  new EngineError(`the store has no image ${image}`, { kind: 'image-missing', image });

/**
 * Does work on the store in `folder`. Where the store fails, or its disk is full, this rejects with an
 * `EngineError`.
 */
export async function onStore<T>(folder: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = storeFailure(folder, error);
    throw failure instanceof StoreError ? engineError(failure) : failure;
  }
}

/** A failure of the store as the engine's. */
export const engineError = ({ message, kind, hint, advice, cause }: StoreError): EngineError =>
  new EngineError(message, { kind, hint, advice, cause });
