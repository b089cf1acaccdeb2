import { readFileSync } from 'node:fs';
import { advice, failure, type Trial } from './trial.ts';

/** The first user ids and how many of them this process's user namespace has. */
export function idsHere(): { readonly isNamespace: boolean; readonly count: number } {
  try {
    const rows = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n');
    const counts = rows.map((row) => Number(row.trim().split(/\s+/)[2]));
    const count = counts.reduce((sum, one) => sum + one, 0);
    return { isNamespace: count < 4294967295, count };
  } catch {
    return { isNamespace: false, count: 4294967295 };
  }
}

/** Whether this process is root with all that root can do: not in a user namespace, and with CAP_SYS_ADMIN. */
export function isFullRoot(): boolean {
  if (process.getuid?.() !== 0 || idsHere().isNamespace) return false;
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 21n) & 1n) === 1n;
}

/** How this user can have namespaces: with a range of ids, with one, or not at all and why. */
export async function namespaceHere(): Promise<{
  words: readonly string[] | undefined;
  trials: readonly Trial[];
}> {
  const trials: Trial[] = [];
  const plain = await failure('unshare', ['-Ur', 'true']);
  if (plain !== undefined) {
    const name = 'a user namespace';
    return { words: undefined, trials: [{ name, usable: false, reason: advice(plain) }] };
  }
  const name = 'a user namespace with a range of ids';
  const helper = await failure('newuidmap', []);
  const missing = helper?.endsWith('is not installed') ? helper : undefined;
  const ranged = missing ?? (await failure('unshare', ['-Ur', '--map-auto', 'true']));
  if (ranged === undefined)
    return {
      words: ['unshare', '-Ur', '--map-auto', '-m', '--propagation', 'private'],
      trials: [{ name, usable: true, reason: '' }],
    };
  const needs = `${advice(ranged)}; a range in /etc/subuid and /etc/subgid and the package uidmap are needed`;
  trials.push({ name, usable: false, reason: needs });
  trials.push({ name: 'a user namespace with one id', usable: true, reason: '' });
  return { words: ['unshare', '-Ur', '-m', '--propagation', 'private'], trials };
}
