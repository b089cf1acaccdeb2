import { closeSync, constants, openSync, readdirSync, readSync, unlinkSync } from 'node:fs';

/** The flag that `/proc/PID/fdinfo` shows of a descriptor that is closed on exec (`O_CLOEXEC`, the same on all processors). */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * The descriptors above 2 that programs which this process begins would have too, in rising order: what the caller left open. Node closes its own on exec, but
 * of those that it was begun with only the first ones, up to the first free number above 15.
 */
export function inheritable(): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fd');
  } catch {
    // Another system than Linux, or a root without /proc: nothing here runs sandboxes then.
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
    // Closed meanwhile, as the one that the folder was read through.
    return true;
  }
}

/** Closes what this process was begun with, but for its three streams and what `words` name (`/dev/fd/63`). */
export function closeInherited(words: readonly string[]): void {
  const named = /\/(?:dev|proc\/self)\/fd\/(\d+)/g;
  const kept = new Set(
    words.flatMap((word) => [...word.matchAll(named)].map(([, number]) => Number(number))),
  );
  for (const descriptor of inheritable()) if (!kept.has(descriptor)) closeSync(descriptor);
}

/** Streams of a program to begin (`stdio` of `spawn`), and what is to be called when it was begun. */
export interface OnlyPipes {
  readonly stdio: ('pipe' | 'ignore' | number)[];
  readonly done: () => void;
}

/**
 * Pipes for a program's three streams, and nothing that this process inherited: in the place of each of those it has an empty file, because Node cannot close one in the other
 * program alone. The file is made as `path`, where nothing is, and has no name any more then.
 */
export function onlyPipes(path: string): OnlyPipes {
  const stdio: OnlyPipes['stdio'] = ['pipe', 'pipe', 'pipe'];
  const inherited = inheritable();
  if (inherited.length === 0) return { stdio, done: () => {} };
  // Not /dev/null: of that a command could change the mode and the owner.
  const { O_RDONLY, O_CREAT, O_EXCL } = constants;
  const nothing = openSync(path, O_RDONLY | O_CREAT | O_EXCL, 0o600);
  unlinkSync(path);
  for (const descriptor of inherited) {
    while (stdio.length < descriptor) stdio.push('ignore');
    stdio[descriptor] = nothing;
  }
  return { stdio, done: () => closeSync(nothing) };
}
