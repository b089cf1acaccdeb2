import type { Attempt, FoundEngine } from '../docker/find.ts';
import { EngineError } from '../errors.ts';
import { type NativeAddress, type NativeOptions, openNative } from './find.ts';
import { idsHere, isAdministrator, namespaceHere, namespaceOfRoot } from './namespace.ts';
import { checkStore } from './store/disk.ts';
import type { Trial } from './trial.ts';

/** What opening the native engine needs from the world, besides. */
export interface OpenOptions extends NativeOptions {
  /**
   * Goes on as the same process under these words, which end with a program that runs another; never returns. Absent where this process
   * cannot be replaced, as it is not a command's own.
   */
  readonly enter?: ((words: readonly string[]) => never) | undefined;
}

const attemptOf = (address: string, { name, usable, reason, advice }: Trial): Attempt => ({
  strategy: `native: ${name}`,
  address,
  used: usable,
  reason,
  ...(advice === undefined ? {} : { advice }),
});

/** The native engine, or what is missing for it. */
export type NativeAnswer =
  | (FoundEngine & { readonly ok: true })
  | { readonly ok: false; readonly attempts: readonly Attempt[] };

/**
 * Opens the native engine. A user who is not root needs a user namespace, which this process enters; root who may not mount enters one if it can be had. `thorough` finds out beforehand whether
 * anything can run; else that is found out when something is to.
 */
export async function findNative(
  address: NativeAddress,
  options: OpenOptions,
  thorough: boolean,
): Promise<NativeAnswer> {
  const name = `native:${address.folder}`;
  if (process.platform !== 'linux') {
    const reason = 'it takes Linux';
    return { ok: false, attempts: [{ strategy: 'native', address: name, used: false, reason }] };
  }
  const attempts: Attempt[] = [];
  if (process.getuid?.() !== 0) {
    const { words, trials } = await namespaceHere();
    if (words !== undefined) {
      if (options.enter !== undefined) return options.enter(words);
      throw new EngineError(`the native engine has to run under ${words.join(' ')}`);
    }
    return { ok: false, attempts: trials.map((trial) => attemptOf(name, trial)) };
  }
  if (address.way !== 'bare' && options.enter !== undefined && !isAdministrator()) {
    const { words, trials } = await namespaceOfRoot();
    if (words !== undefined) return options.enter(words);
    attempts.push(...trials.map((trial) => attemptOf(name, trial)));
  }
  checkStore(address.folder);
  const engine = openNative(address, options);
  if (!thorough)
    return { ok: true, engine, attempts: [{ strategy: 'native', address: name, used: true, reason: '' }] };
  const { isNamespace, count } = idsHere();
  if (isNamespace && count === 1) {
    const reason =
      'this user namespace has one id, so that files can have no other owner; for more, a range in /etc/subuid and /etc/subgid and newuidmap (apt-get install uidmap)';
    attempts.push({ strategy: 'native: any owner of files', address: name, used: false, reason });
  }
  const { way, trials } = await engine.probe();
  attempts.push(...trials.map((trial) => attemptOf(name, trial)));
  if (way !== undefined) return { ok: true, engine, attempts };
  await engine.close();
  return { ok: false, attempts };
}
