import { closeSync, constants, openSync, readdirSync, readSync, unlinkSync } from 'node:fs';

/**
 * The flag in `/proc/PID/fdinfo` of a descriptor that is closed on exec (`O_CLOEXEC`, the same on all
 * processors).
 */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * The descriptors above 2 that programs would inherit from this process, in rising order: those that its
 * caller left open. Node sets close-on-exec for its own, but of those that it inherited only for the first
 * ones, up to the first free number above 15.
 */
export function inheritable(): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fd');
  } catch {
    // Not Linux, or a root without /proc: no sandbox can run there.
    return [];
  }
  const buffer = Buffer.alloc(64);
  return names
    .map(Number)
    .filter((descriptor) => descriptor > 2 && !isClosedOnExec(descriptor, buffer))
    .sort((a, b) => a - b);
}

function isClosedOnExec(descriptor: number, buffer: Buffer): boolean {
  try {
    const info = openSync(`/proc/self/fdinfo/${descriptor}`, 'r');
    const length = readSync(info, buffer, 0, buffer.length, 0);
    closeSync(info);
    const flags = /^flags:\s*([0-7]+)$/m.exec(buffer.toString('latin1', 0, length))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    // Closed in the meantime, such as the one that the folder was read through.
    return true;
  }
}

/**
 * Closes the descriptors that this process inherited, except its three standard streams and those that
 * `words` name (`/dev/fd/63`).
 */
export function closeInherited(words: readonly string[]): void {
  const named = /\/(?:dev|proc\/self)\/fd\/(\d+)/g;
  const kept = new Set(
    words.flatMap((word) => [...word.matchAll(named)].map(([, number]) => Number(number))),
  );
  for (const descriptor of inheritable()) if (!kept.has(descriptor)) closeSync(descriptor);
}

/** Streams for a program (`stdio` of `spawn`), and a function to call after it was started. */
export interface OnlyPipes {
  readonly stdio: ('pipe' | 'ignore' | number)[];
  readonly done: () => void;
}

/**
 * Pipes for a program's three standard streams, and nothing that this process inherited. Node cannot close a
 * descriptor in the other program alone, so that gets an empty file in its place. The file is created at
 * `path`, where nothing may be, and unlinked at once.
 */
export function onlyPipes(path: string): OnlyPipes {
  const stdio: OnlyPipes['stdio'] = ['pipe', 'pipe', 'pipe'];
  const inherited = inheritable();
  if (inherited.length === 0) return { stdio, done: () => {} };
  // Not /dev/null: a command could change its mode and owner.
  const { O_RDONLY, O_CREAT, O_EXCL } = constants;
  const nothing = openSync(path, O_RDONLY | O_CREAT | O_EXCL, 0o600);
  unlinkSync(path);
  for (const descriptor of inherited) {
    while (stdio.length < descriptor) stdio.push('ignore');
    stdio[descriptor] = nothing;
  }
  return { stdio, done: () => closeSync(nothing) };
}
