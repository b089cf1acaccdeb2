import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, type Maker, makers } from './launch.ts';
import { idsHere } from './namespace.ts';
import { describeSandbox } from './sandbox.ts';
import { PATH } from './starter.ts';
import type { Store } from './store/store.ts';
import { advice, failure, type Trial } from './trial.ts';

/** On overlay mounts, in sandboxes that `maker` makes. */
export interface OverlayWay {
  readonly kind: 'overlay';
  readonly maker: Maker;
  /** Whether sandboxes can have a `/proc` of their own. */
  readonly freshProc: boolean;
}

/** How work is done on this machine: on overlay mounts, or in a copy of the image's root, by chroot. */
export type Way = OverlayWay | { readonly kind: 'copy' };

/** The ways that can be asked for, the best first: by who makes sandboxes on overlay mounts, or in copies. */
export const askedWays = [...makers, 'copy'] as const;

/** A way that can be asked for. */
export type AskedWay = (typeof askedWays)[number];

/** What was found out: the best way, or undefined where there is none. */
export interface Found {
  readonly way: Way | undefined;
  readonly trials: readonly Trial[];
}

/** What an answer depends on besides the machine: what this process may, since when the machine runs, and which programs it has. */
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
  const programs = makers.filter((name) => PATH.split(':').some((folder) => existsSync(join(folder, name))));
  return [...lines, ...paths.map(read), ...programs].join('\n');
}

/** The best way, as it was found out before in the same circumstances; tried where it was not. */
export async function knownWay(store: Store, forced?: AskedWay): Promise<Found> {
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

/** Tries the ways that there are for this process, the best first, until one works; only one where one is asked for. */
export async function probe(store: Store, forced?: AskedWay): Promise<Found> {
  const trials: Trial[] = [];
  const { isNamespace, count } = idsHere();
  const kind = isNamespace
    ? `overlay mounts in a user namespace with ${count} ids`
    : 'overlay mounts as root';
  for (const maker of makers) {
    if (forced !== undefined && forced !== maker) continue;
    const name = `${kind}, sandboxes by ${names[maker]}`;
    const missing = maker === 'chroot' ? undefined : await failure(maker, ['--version']);
    if (missing !== undefined) {
      trials.push({ name, usable: false, reason: advice(missing) });
      continue;
    }
    // A runtime finds its processes in a `/proc` of its own.
    for (const freshProc of maker === 'bwrap' || maker === 'chroot' ? [true, false] : [true]) {
      const way = { kind: 'overlay', maker, freshProc } as const;
      const reason = await whyNot(store, way);
      const full = freshProc ? name : `${name}, with the /proc of this machine`;
      trials.push({ name: full, usable: reason === undefined, reason: reason ?? '' });
      if (reason === undefined) return { way, trials };
    }
  }
  if (forced === undefined || forced === 'copy') {
    const name = 'a copy of the root, and chroot';
    const reason = process.getuid?.() === 0 ? await failure('chroot', ['/', 'true']) : 'chroot takes root';
    trials.push({ name, usable: reason === undefined, reason: reason ?? '' });
    if (reason === undefined) return { way: { kind: 'copy' }, trials };
  }
  return { way: undefined, trials };
}

/** Makers of sandboxes for people. */
const names: Readonly<Record<Maker, string>> = {
  bwrap: 'bubblewrap',
  runc: 'runc',
  crun: 'crun',
  chroot: 'mount and chroot',
};

/** Why an overlay in the store and a sandbox on this machine's root cannot be had; undefined where they can. */
async function whyNot(store: Store, { maker, freshProc }: OverlayWay): Promise<string | undefined> {
  const folder = store.freshPath('probe');
  for (const name of ['', '/l', '/u', '/k', '/m', '/r']) mkdirSync(`${folder}${name}`);
  const form = store.form === 'user' ? ',userxattr' : '';
  const overlay = `mount -t overlay luet -o upperdir=u,workdir=k,lowerdir=l,volatile${form} m && mkdir m/x`;
  // Where one /sys is mounted the kernel does not mount it again.
  const root = 'mount --rbind / r && { umount -l -R r/sys 2>/dev/null || :; }';
  const options = { root: join(folder, 'r'), files: [], folder: '/', environment: new Map([['PATH', PATH]]) };
  const sandbox = describeSandbox({ ...options, network: 'host' }, { isThere: existsSync, freshProc });
  const isNamespace = store.form === 'user';
  const { script, words, command } = launch(maker, {
    ...{ folder, sandbox, isNamespace },
    command: 'true',
    env: undefined,
  });
  writeFileSync(join(folder, 'words'), words.map((word) => `${word}\0`).join(''));
  try {
    const whole = `exec 3<words 4>status && ${overlay} && ${root} && ${script}`;
    const chain = ['--pdeathsig', 'KILL', 'unshare', '-m', 'sh', '-c', whole, 'sh', ...command];
    return await failure('setpriv', chain, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
