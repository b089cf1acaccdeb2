import { type FindOptions, type FoundEngine, findDockerEngine, NoEngineError } from './docker/find.ts';
import { type NativeOptions, nativeStore, openNative } from './native/find.ts';

/** Finds the engine of an address, or the first that answers. Rejects with a `NoEngineError`. */
export async function findEngine(options: FindOptions & Pick<NativeOptions, 'store'>): Promise<FoundEngine> {
  const folder = nativeStore(options.engine, options);
  if (folder === undefined) return await findDockerEngine(options);
  const attempt = { strategy: 'native was asked for', address: `native:${folder}`, used: true, reason: '' };
  return { engine: openNative(folder, options), attempts: [attempt] };
}

export { NoEngineError };
