import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PATH } from './run.ts';
import type { Store } from './store/store.ts';

/** How work is done on this machine. */
export type Way =
  /** On overlay mounts, in bubblewrap's sandboxes; `freshProc` says whether these can have a `/proc` of their own. */
  | { readonly kind: 'overlay'; readonly freshProc: boolean }
  /** In a copy of the image's root, by chroot. */
  | { readonly kind: 'copy' };

/** One way that was tried. */
export interface Trial {
  /** For people: `overlay mounts as root`. */
  readonly name: string;
  readonly usable: boolean;
  /** Why not, and what would be needed; empty where it is usable. */
  readonly reason: string;
}

/** What was found out: the best way, or undefined where there is none. */
export interface Found {
  readonly way: Way | undefined;
  readonly trials: readonly Trial[];
}

/** A probe that takes longer than this hangs, in milliseconds: `unshare --map-auto` does where it is refused. */
const PATIENCE = 5000;

const run = promisify(execFile);

/** Runs a program; why it failed, or undefined where it did not. */
async function failure(program: string, words: readonly string[], cwd?: string): Promise<string | undefined> {
  try {
    await run(program, words, {
      env: { PATH },
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
      ...(cwd === undefined ? {} : { cwd }),
    });
    return undefined;
  } catch (error) {
    const { code, killed, stderr } = error as { code?: string; killed?: boolean; stderr?: string };
    if (code === 'ENOENT') return `${program} is not installed`;
    if (killed) return `${program} hangs`;
    return stderr?.trim().split('\n').at(-1) || (error as Error).message.split('\n')[0];
  }
}

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

/** What to install for a program, by the name of Debian's package. */
const packages: Readonly<Record<string, string>> = { bwrap: 'bubblewrap', newuidmap: 'uidmap' };

const advice = (reason: string): string => {
  const program = /^(\S+) is not installed/.exec(reason)?.[1];
  return program === undefined ? reason : `${reason} (apt-get install ${packages[program] ?? program})`;
};

/** What an answer depends on besides the machine: what this process may, and since when the machine runs. */
function circumstances(): string {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  };
  const status = read('/proc/self/status');
  const lines = ['Uid', 'CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp'].map(
    (name) => new RegExp(`^${name}:.*`, 'm').exec(status)?.[0] ?? '',
  );
  const paths = ['/proc/sys/kernel/random/boot_id', '/proc/self/uid_map', '/proc/self/attr/current'];
  return [...lines, ...paths.map(read)].join('\n');
}

/** The best way, as it was found out before in the same circumstances; tried where it was not. */
export async function knownWay(store: Store, forced?: Way['kind']): Promise<Found> {
  const file = join(store.folder, 'way.json');
  const here = circumstances();
  if (forced === undefined) {
    try {
      const { at, way } = JSON.parse(readFileSync(file, 'utf8')) as { at: string; way: Way };
      if (at === here && way.kind === 'overlay') return { way, trials: [] };
    } catch {
      // Not found out yet.
    }
  }
  const found = await probe(store, forced);
  if (forced === undefined && found.way?.kind === 'overlay') {
    const aside = store.freshPath('way');
    writeFileSync(aside, JSON.stringify({ at: here, way: found.way }));
    renameSync(aside, file);
  }
  return found;
}

/** Tries the ways that there are for this process, the best first, until one works. */
export async function probe(store: Store, forced?: Way['kind']): Promise<Found> {
  const trials: Trial[] = [];
  const { isNamespace, count } = idsHere();
  const kind = isNamespace
    ? `overlay mounts in a user namespace with ${count} ids`
    : 'overlay mounts as root';
  if (forced !== 'copy') {
    const name = kind;
    const missing = await failure('bwrap', ['--version']);
    if (missing !== undefined) trials.push({ name, usable: false, reason: advice(missing) });
    else {
      for (const freshProc of [true, false]) {
        const reason = await overlay(store, freshProc);
        const full = freshProc ? name : `${name}, with the /proc of this machine`;
        trials.push({ name: full, usable: reason === undefined, reason: reason ?? '' });
        if (reason === undefined) return { way: { kind: 'overlay', freshProc }, trials };
      }
    }
  }
  if (forced !== 'overlay') {
    const name = 'a copy of the root, and chroot';
    const reason = process.getuid?.() === 0 ? await failure('chroot', ['/', 'true']) : 'chroot takes root';
    trials.push({ name, usable: reason === undefined, reason: reason ?? '' });
    if (reason === undefined) return { way: { kind: 'copy' }, trials };
  }
  return { way: undefined, trials };
}

/** Why an overlay in the store and a sandbox beside it cannot be had; undefined where they can. */
async function overlay(store: Store, freshProc: boolean): Promise<string | undefined> {
  const folder = store.freshPath('probe');
  for (const name of ['', '/l', '/u', '/k', '/m']) mkdirSync(`${folder}${name}`);
  const form = store.form === 'user' ? ',userxattr' : '';
  const proc = freshProc ? '--proc /proc' : '--ro-bind /proc /proc';
  try {
    const mount = `mount -t overlay luet -o upperdir=u,workdir=k,lowerdir=l,volatile${form} m && mkdir m/x`;
    const sandbox = `exec bwrap --die-with-parent --unshare-pid --unshare-ipc --unshare-uts --ro-bind / / --dev /dev ${proc} true`;
    return await failure(
      'setpriv',
      ['--pdeathsig', 'KILL', 'unshare', '-m', 'sh', '-c', `${mount} && ${sandbox}`],
      folder,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
