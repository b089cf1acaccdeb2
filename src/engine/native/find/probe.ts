import { existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFileSync } from '../../../disk/index.ts';
import { isNoSpace, type Store } from '../../../store/index.ts';
import type { Walls } from '../sandbox/jail.ts';
import { launch, type Maker, makers } from '../sandbox/launch.ts';
import { describeSandbox, isMount } from '../sandbox/sandbox.ts';
import { PATH } from '../sandbox/starter.ts';
import { ALL_IDS, idsHere } from './namespace.ts';
import { advice, failure, type Trial } from './trial.ts';
import { wallsHere, whyNoChroot } from './walls.ts';

/** The program that makes sandboxes, and what they can have. */
export interface SandboxWay {
  readonly maker: Maker;
  /** Whether sandboxes have a new `/proc`. */
  readonly freshProc: boolean;
  /** Whether they have their own host name. */
  readonly ownName: boolean;
}

/** Commands run on overlay mounts, in sandboxes that `maker` makes. */
export interface OverlayWay extends SandboxWay {
  readonly kind: 'overlay';
}

/**
 * Commands run in copies of images' roots, in sandboxes that `maker` makes: where overlays cannot be mounted.
 */
export interface CopyWay extends SandboxWay {
  readonly kind: 'copy';
}

/** Commands run in copies of images' roots, by `chroot`: where nothing can be mounted. */
export interface BareWay {
  readonly kind: 'bare';
  readonly walls: Walls;
}

/** A way to run commands on this machine. */
export type Way = OverlayWay | CopyWay | BareWay;

/**
 * The ways that can be asked for, best first: overlay mounts, by the maker of sandboxes; copies with
 * sandboxes; copies with `chroot` alone.
 */
export const askedWays = [...makers, 'copy', 'bare'] as const;

/** A way that can be asked for. */
export type AskedWay = (typeof askedWays)[number];

/** The best way that works, undefined where none does; and all that were tried. */
export interface ProbeResult {
  readonly way: Way | undefined;
  readonly trials: readonly Trial[];
}

/**
 * What the result depends on besides the machine: the rights of this process, the boot, and which programs
 * are installed.
 */
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

/** The best way, as it was remembered in the same circumstances; it is tried again in others. */
export async function knownWay(store: Store, forced?: AskedWay): Promise<ProbeResult> {
  const file = join(store.folder, 'way.json');
  const here = circumstances();
  if (forced === undefined) {
    try {
      const { at, way } = JSON.parse(readFileSync(file, 'utf8')) as { at: string; way: Way };
      if (at === here && isSandboxed(way)) return { way, trials: [] };
    } catch {
      // Nothing is remembered yet.
    }
  }
  const found = await probe(store, forced);
  if (forced === undefined && found.way !== undefined && isSandboxed(found.way)) {
    try {
      replaceFileSync(file, JSON.stringify({ at: here, way: found.way }), store.freshPath('way'));
    } catch (error) {
      // It is tried again next time.
      if (!isNoSpace(error)) throw error;
    }
  }
  return found;
}

/**
 * Whether a way is remembered. One that does not work any more fails with an error. The walls around a mere
 * `chroot` are looked at each time. A version of this program before host names were known wrote no
 * `ownName`.
 */
const isSandboxed = (way: Way): boolean => way.kind !== 'bare' && way.ownName !== undefined;

/** Tries the ways that this process has, best first, until one works; with `forced`, that one alone. */
export async function probe(store: Store, forced?: AskedWay): Promise<ProbeResult> {
  const trials: Trial[] = [];
  const attempt = async (name: string, why: () => Promise<string | undefined>): Promise<boolean> => {
    const reason = await why();
    trials.push({ name, usable: reason === undefined, reason: reason ?? '' });
    return reason === undefined;
  };
  const isMaker = (way: AskedWay): way is Maker => makers.some((maker) => maker === way);
  const reason = forced === 'bare' ? '' : await failure('unshare', ['-m', 'true']);
  if (reason !== undefined && forced !== 'bare')
    trials.push({ name: `mounts ${whose()}`, usable: false, reason });
  if (reason === undefined && forced !== 'copy') {
    const name = `overlay mounts ${whose()}`;
    const why = await whyNoOverlay(store);
    if (why !== undefined) trials.push({ name, usable: false, ...why });
    else {
      const wanted = forced !== undefined && isMaker(forced) ? [forced] : makers;
      const way = await sandboxWay(store, name, wanted, attempt);
      if (way !== undefined) return { way: { kind: 'overlay', ...way }, trials };
    }
  }
  if (reason === undefined && (forced === undefined || forced === 'copy')) {
    const way = await sandboxWay(store, `a copy of the root ${whose()}`, makers, attempt);
    if (way !== undefined) return { way: { kind: 'copy', ...way }, trials };
  }
  if (forced === undefined || forced === 'bare') {
    const name = 'a copy of the root, and chroot';
    const folder = store.freshPath('probe');
    try {
      if (await attempt(name, () => whyNoChroot(folder)))
        return { way: { kind: 'bare', walls: await wallsHere(folder) }, trials };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { way: undefined, trials };
}

/** A description of this process's rights. */
function whose(): string {
  const { isNamespace, count } = idsHere();
  if (!isNamespace) return 'as root';
  return `in a user namespace with ${count === ALL_IDS ? 'all' : count} id${count === 1 ? '' : 's'}`;
}

type TryWay = (name: string, why: () => Promise<string | undefined>) => Promise<boolean>;

/** The best of these makers of sandboxes that works; undefined where none does. */
async function sandboxWay(
  store: Store,
  kind: string,
  wanted: readonly Maker[],
  attempt: TryWay,
): Promise<SandboxWay | undefined> {
  for (const maker of wanted) {
    const name = `${kind}, sandboxes by ${names[maker]}`;
    const missing = maker === 'chroot' ? undefined : await failure(maker, ['--version']);
    if (missing !== undefined) {
      await attempt(name, async () => advice(missing));
      continue;
    }
    for (const [lacking, more] of lacks) {
      // A container runtime needs a new `/proc`, to find its processes.
      if (!more.freshProc && maker !== 'bwrap' && maker !== 'chroot') continue;
      const way = { maker, ...more };
      if (await attempt(`${name}${lacking}`, () => whyNoSandbox(store, way))) return way;
    }
  }
  return undefined;
}

/** What sandboxes can go without, and how that is described. */
const lacks: readonly (readonly [string, Pick<SandboxWay, 'freshProc' | 'ownName'>])[] = [
  ['', { freshProc: true, ownName: true }],
  [', with the /proc of this machine', { freshProc: false, ownName: true }],
  [', with the host name of this machine', { freshProc: true, ownName: false }],
  [', with the /proc and the host name of this machine', { freshProc: false, ownName: false }],
];

/** Names of makers of sandboxes, for people. */
const names: Readonly<Record<Maker, string>> = {
  bwrap: 'bubblewrap',
  runc: 'runc',
  crun: 'crun',
  chroot: 'mount and chroot',
};

/** Why no overlay can be mounted in the store; undefined where one can. */
async function whyNoOverlay(store: Store): Promise<Pick<Trial, 'reason' | 'advice'> | undefined> {
  const form = store.form === 'user' ? ',userxattr' : '';
  const options = `upperdir=u,workdir=k,lowerdir=l,volatile${form}`;
  const script = `mount -t overlay luet -o ${options} m && exec mkdir m/x`;
  const reason = await inFolder(store, ['l', 'u', 'k', 'm'], (folder) =>
    failure('unshare', ['-m', 'sh', '-c', script], folder),
  );
  if (reason === undefined) return undefined;
  if (statfsSync(store.folder).type !== OVERLAY) return { reason };
  const why = `${reason} (the store lies on an overlay itself, as a container's own files do, and has to lie on a volume)`;
  return { reason: why, advice: 'another-store' };
}

/** The type of an overlay in `statfs` (`man 2 statfs`). */
const OVERLAY = 0x794c7630;

/** Why no sandbox can be made on this machine's root; undefined where one can. */
function whyNoSandbox(store: Store, { maker, freshProc, ownName }: SandboxWay): Promise<string | undefined> {
  return inFolder(store, ['r'], (folder) => {
    // The kernel does not mount a new /sys where one is mounted already.
    const root = 'mount --rbind / r && { umount -l -R r/sys 2>/dev/null || :; }';
    const options = {
      ...{ root: join(folder, 'r'), files: [], folder: '/', environment: new Map([['PATH', PATH]]) },
      network: 'host',
    } as const;
    const sandbox = describeSandbox(options, { isThere: existsSync, isMount, freshProc, ownName });
    const isNamespace = store.form === 'user';
    const { script, words, command } = launch(maker, {
      ...{ folder, sandbox, isNamespace },
      command: 'true',
      env: undefined,
    });
    writeFileSync(join(folder, 'words'), words.map((word) => `${word}\0`).join(''));
    const whole = `exec 3<words 4>status && ${root} && ${script}`;
    const chain = ['--pdeathsig', 'KILL', 'unshare', '-m', 'sh', '-c', whole, 'sh', ...command];
    return failure('setpriv', chain, folder);
  });
}

/** Does work in a new folder of the store that has these folders in it. The folder is removed afterwards. */
async function inFolder<T>(
  store: Store,
  inner: readonly string[],
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = store.freshPath('probe');
  for (const name of ['', ...inner]) mkdirSync(join(folder, name));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
