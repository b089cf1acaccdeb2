import { checkStore } from '../../../store/index.ts';
import { EngineError } from '../../errors.ts';
import type { Attempt, EngineStrategy, FindEngineOptions, Opened } from '../../strategy.ts';
import { onStore } from '../state.ts';
import { type NativeAddress, openNative, parseNative } from './address.ts';
import { idsHere, isAdministrator, namespaceHere, namespaceOfRoot } from './namespace.ts';
import type { Trial } from './trial.ts';

const attemptOf = (address: string, { name, usable, reason, advice }: Trial): Attempt => ({
  strategy: `native: ${name}`,
  address,
  used: usable,
  reason,
  ...(advice === undefined ? {} : { advice }),
});

/** This machine itself. */
export const native: EngineStrategy = {
  name: 'native',
  kind: 'native',
  places(options) {
    const isAsked = parseNative(options.engine, options);
    const address = isAsked ?? parseNative('native', options);
    if (process.platform !== 'linux' || address === undefined) return 'it takes Linux';
    // Where it is one of several engines, it must be known whether anything can run.
    const thorough = isAsked === undefined || options.thorough === true;
    return [{ isBinding: isAsked !== undefined, open: () => open(address, options, thorough) }];
  },
};

/**
 * Opens the native engine. A user who is not root needs a user namespace, and root who may not mount uses one
 * where possible; this process then starts again inside of it. `thorough` finds out whether anything can run;
 * else that is found out when the first command runs.
 */
async function open(address: NativeAddress, options: FindEngineOptions, thorough: boolean): Promise<Opened> {
  const name = `native:${address.folder}`;
  const attempts: Attempt[] = [];
  if (process.getuid?.() !== 0) {
    const { words, trials } = await namespaceHere();
    if (words !== undefined) {
      if (options.enter !== undefined) return options.enter(words);
      throw new EngineError(`the native engine has to run under ${words.join(' ')}`);
    }
    return { engine: undefined, attempts: trials.map((trial) => attemptOf(name, trial)) };
  }
  if (address.way !== 'bare' && options.enter !== undefined && !isAdministrator()) {
    const { words, trials } = await namespaceOfRoot();
    if (words !== undefined) return options.enter(words);
    attempts.push(...trials.map((trial) => attemptOf(name, trial)));
  }
  await onStore(address.folder, () => checkStore(address.folder));
  const engine = openNative(address, options);
  if (!thorough) return { engine, attempts: [{ strategy: 'native', address: name, used: true, reason: '' }] };
  const { isNamespace, count } = idsHere();
  if (isNamespace && count === 1) {
    const reason =
      'this user namespace has one id, so that files can have no other owner; for more, a range in /etc/subuid and /etc/subgid and newuidmap (apt-get install uidmap)';
    attempts.push({ strategy: 'native: any owner of files', address: name, used: false, reason });
  }
  const { way, trials } = await engine.probe();
  attempts.push(...trials.map((trial) => attemptOf(name, trial)));
  if (way !== undefined) return { engine, attempts };
  await engine.close();
  return { engine: undefined, attempts };
}
