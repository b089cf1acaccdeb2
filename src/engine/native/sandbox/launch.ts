import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../../disk/index.ts';
import { beginsApart, filterFile } from '../filter/index.ts';
import { bwrapWords } from './bwrap.ts';
import { sandboxMounts } from './fstab.ts';
import { attends, begunInside, waits } from './inside.ts';
import { crunHooks, ociConfig } from './oci.ts';
import { quoted } from './quoted.ts';
import type { Chain } from './run.ts';
import { deviceLinks, devices, HOSTNAME, type Sandbox } from './sandbox.ts';
import { PATH } from './starter.ts';

/** What makes sandboxes on overlay mounts, the best first: a program, or `mount` and `chroot` alone. */
export const makers = ['bwrap', 'runc', 'crun', 'chroot'] as const;

/** One of them. */
export type Maker = (typeof makers)[number];

/** What is needed to start a command in a sandbox. */
export interface LaunchOptions {
  /** The folder in which the chain of processes starts. Files for it are written there. */
  readonly folder: string;
  readonly sandbox: Sandbox;
  /** The command, for the image's shell. */
  readonly command: string;
  /** The path of the image's `env`; undefined where it has none. */
  readonly env: string | undefined;
  /** Whether this process is in a user namespace. */
  readonly isNamespace: boolean;
}

/** The part of a chain that makes a sandbox, in its own mount namespace. */
export interface Launch extends Pick<Chain, 'words' | 'command' | 'begun'> {
  /** As in `Chain`. */
  readonly script: string;
}

/** How a maker starts a command in a sandbox. */
export function launch(maker: Maker, options: LaunchOptions): Launch {
  if (maker === 'bwrap') return byBwrap(options);
  return maker === 'chroot' ? byChroot(options) : byRuntime(maker, options);
}

/**
 * Shell text after which commands cannot change modes and owners of this machine's devices through those that
 * bubblewrap binds into a sandbox: the devices are mounted over themselves, in our own mount namespace,
 * because bubblewrap has no option for it. Once is enough for each namespace. Where the devices belong to
 * another root, commands could not change them.
 */
const lockDevices = (() => {
  const mount = (how: string): string => `mount -o ${how},ro,nosuid,noexec /dev /dev`;
  // Each mount here makes every sandbox slower; in a user namespace it cannot be left out.
  return `[ ! -O /dev/null ] || [ ! -w /dev ] || ${mount('bind')} 2>/dev/null || ${mount('rbind')} || exit 1; `;
})();

/** Where a program lies that the machine has; its name alone where it is in none of the folders. */
function pathOf(program: string): string {
  const paths = PATH.split(':').map((folder) => join(folder, program));
  const isThere = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return paths.find(isThere) ?? program;
}

/**
 * Shell text that makes a program of this machine read-only in a mount namespace of ours, before it becomes
 * the image's shell. An image whose shell is a script for `/proc/self/exe` is run by this very program, with
 * the image's own C library in it, and finds the machine's file behind that link; through it, root could
 * write to the file or make it set-user-id. Once is enough for a namespace. A program that this user cannot
 * write to is left as it is. Runc and crun protect themselves.
 */
function lockProgram(program: string): string {
  const path = quoted(pathOf(program));
  return `[ ! -w ${path} ] || mount -o bind,ro,nosuid,nodev ${path} ${path} || exit 1; `;
}

function byBwrap({ folder, sandbox, command }: LaunchOptions): Launch {
  const filter = filterFile(folder);
  const locked = `${lockDevices}${lockProgram('bwrap')}`;
  const program = quoted(pathOf('bwrap'));
  const filtered = filter === undefined ? ['', ''] : [' --seccomp 5', ` 5<${quoted(filter)}`];
  return {
    script: `${locked}exec ${program} --json-status-fd 4${filtered[0]} --args 3 -- "$@"${filtered[1]}`,
    words: bwrapWords(sandbox),
    command: waits(command, sandbox.environment),
    // Bubblewrap reports only the exit code of the program that it started itself.
    begun: (status) => {
      const code = /"exit-code": (\d+)/.exec(status)?.[1];
      return code === undefined ? undefined : Number(code);
    },
  };
}

/**
 * Shell text that becomes the first process of a namespace, with which all its processes end: it ends with
 * `unshare`, and that with this program. Its parent may have ended before the kernel was asked to watch it;
 * its folder in the outer `/proc` shows that.
 */
function nested(namespaces: string, script: string): string {
  const inner = `[ -d "/proc/$1" ] || exit 1; shift; ${script}`;
  return `exec unshare ${namespaces} --fork --kill-child sh -c ${quoted(inner)} sh $$ "$@"`;
}

/**
 * Makes a sandbox by an OCI runtime. A runtime that is killed would leave its command running, so it is the
 * first process of a namespace. It makes no control groups, which would stay when it is killed: it finds them
 * read-only.
 */
function byRuntime(program: 'runc' | 'crun', options: LaunchOptions): Launch {
  const { folder, sandbox, command, env, isNamespace } = options;
  const words = attends({ folder: sandbox.folder, environment: sandbox.environment, env }, command);
  const bundle = join(folder, 'bundle');
  const state = join(folder, 'state');
  makeFolder(bundle, 0o700);
  // Left by a runtime that was killed.
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { mode: 0o700 });
  const hooks = program === 'crun' ? crunHooks(sandbox) : {};
  const config = JSON.stringify({ ...ociConfig(sandbox, words, isNamespace), ...hooks });
  writeFileSync(join(bundle, 'config.json'), config, { mode: 0o600 });
  const groups = '/sys/fs/cgroup';
  const locked = isNamespace || !existsSync(groups) ? '' : `mount --bind -o ro ${groups} ${groups} && `;
  const without = program === 'runc' ? '--rootless true' : '--cgroup-manager disabled';
  // Runc fails without the folder of its group, which a namespace has at the top.
  const namespaces = program === 'runc' ? '--pid --cgroup' : '--pid';
  const run = `exec ${program} --root state ${without} run --preserve-fds 2 --bundle bundle luet`;
  return {
    script: `${locked}${nested(namespaces, `mount -t proc proc /proc && ${run}`)}`,
    words: [],
    command: [],
    begun: begunInside,
  };
}

/** Makes a sandbox by `mount` and `chroot`, where there is no program for sandboxes. */
function byChroot(options: LaunchOptions): Launch {
  const { folder, sandbox, command, env, isNamespace } = options;
  const skeleton = join(folder, 'devices');
  if (!existsSync(skeleton)) makeDevices(skeleton);
  writeFileSync(join(folder, 'fstab'), sandboxMounts(sandbox, isNamespace), { mode: 0o600 });
  const [dev, proc] = ['dev', 'proc'].map((name) => quoted(join(sandbox.root, name)));
  const steps = [
    `mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs ${dev}`,
    `cp -a devices/. ${dev}`,
    ...(sandbox.ownName
      ? [`{ hostname ${HOSTNAME} 2>/dev/null || echo ${HOSTNAME} >/proc/sys/kernel/hostname; }`]
      : []),
    ...(sandbox.network === 'none' ? ['{ ip link set lo up || ifconfig lo up || :; } 2>/dev/null'] : []),
    // Alone, because in a table, mount skips silently what looks as if it were mounted already.
    ...(sandbox.freshProc ? [`mount --no-mtab -t proc -o nosuid,nodev,noexec proc ${proc}`] : []),
    'mount --no-mtab --all --fstab "$PWD/fstab"',
    // A root that is mounted over `/` cannot be left, while a mere chroot can.
    `cd ${quoted(sandbox.root)}`,
    'mount --no-mtab --move . /',
  ];
  const drop = `--bounding-set -all,${sandbox.capabilities.map((name) => `+${name.toLowerCase()}`).join()}`;
  const filter = filterFile(folder);
  const apart = beginsApart(PATH, filter).map(quoted).join(' ');
  const become = `exec ${apart} setpriv --no-new-privs ${drop} setsid ${quoted(pathOf('chroot'))} . "$@"`;
  const network = sandbox.network === 'none' ? ' --net' : '';
  return {
    script: nested(
      `--pid --ipc --uts --cgroup${network}`,
      `${lockProgram('chroot')}${steps.join(' && ')} && ${become}`,
    ),
    words: [],
    command: attends({ folder: sandbox.folder, environment: sandbox.environment, env }, command),
    begun: begunInside,
  };
}

/** Creates what is copied into `/dev`: places for devices and file systems, and links. */
function makeDevices(folder: string): void {
  for (const name of ['', 'pts', 'shm', 'mqueue']) mkdirSync(join(folder, name), { mode: 0o755 });
  chmodSync(folder, 0o755);
  for (const name of devices) writeFileSync(join(folder, name), '', { mode: 0o666 });
  for (const [name, to] of [...deviceLinks, ['ptmx', 'pts/ptmx'] as const])
    symlinkSync(to, join(folder, name));
}
