import {
  type Attempt,
  type FindOptions,
  type FoundEngine,
  findDockerEngine,
  NoEngineError,
} from './docker/find.ts';
import { parseNative } from './native/find.ts';
import { findNative, type OpenOptions } from './native/open.ts';

/** What finding an engine of any kind needs from the world. */
export interface FindEngineOptions extends FindOptions, Pick<OpenOptions, 'enter' | 'store' | 'pull'> {
  /** Whether to find out at once what the native engine can do here, where it is used. */
  readonly thorough?: boolean | undefined;
}

/**
 * Finds the engine of an address. For `auto`: the first Docker API that answers, else this machine itself, else a podman service of our own. Rejects
 * with a `NoEngineError`.
 */
export async function findEngine(options: FindEngineOptions): Promise<FoundEngine> {
  const address = parseNative(options.engine, options);
  if (address !== undefined) {
    const found = await findNative(address, options, options.thorough === true);
    if (found.ok) return found;
    throw new NoEngineError(found.attempts);
  }
  if (options.engine !== undefined && options.engine !== 'auto') return await findDockerEngine(options);
  const attempts: Attempt[] = [];
  try {
    return await findDockerEngine({ ...options, ownService: false });
  } catch (error) {
    // What the user named must not be stood in for.
    if (!(error instanceof NoEngineError) || error.isBinding) throw error;
    attempts.push(...error.attempts);
  }
  const native = parseNative('native', options);
  if (native !== undefined) {
    const found = await findNative(native, options, true);
    attempts.push(...found.attempts);
    if (found.ok) return { engine: found.engine, attempts };
  }
  const last = await findDockerEngine({ ...options, engine: 'podman' }).catch((error: unknown) => {
    if (!(error instanceof NoEngineError)) throw error;
    throw new NoEngineError([...attempts, ...error.attempts.slice(-1)]);
  });
  return { engine: last.engine, attempts: [...attempts, ...last.attempts.slice(-1)] };
}
