import { type FindOptions, type FoundEngine, findDockerEngine, NoEngineError } from './docker/find.ts';
import { type NativeOptions, openNative, parseNative } from './native/find.ts';

/** Finds the engine of an address, or the first that answers. Rejects with a `NoEngineError`. */
export async function findEngine(options: FindOptions & Pick<NativeOptions, 'store'>): Promise<FoundEngine> {
  const native = parseNative(options.engine, options);
  if (native === undefined) return await findDockerEngine(options);
  const address = `native:${native.folder}`;
  const attempt = { strategy: 'the address given', address, used: true, reason: '' };
  return { engine: openNative(native, options), attempts: [attempt] };
}

export { NoEngineError };
