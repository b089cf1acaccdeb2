import { lstatSync } from 'node:fs';
import { canFilter, ociFilter } from '../filter/index.ts';
import { quoted } from './quoted.ts';
import { devices, HOSTNAME, type Sandbox } from './sandbox.ts';
import { PATH } from './starter.ts';

/**
 * The devices that are mounted over `/dev`: this machine's, with modes and owners that a command cannot
 * change. Where they belong to another root, a runtime binds them itself, and fails on some that exist.
 */
const ownDevices = (): readonly string[] =>
  lstatSync('/dev/null').uid === process.getuid?.() ? devices : [];

/**
 * A sandbox as the `config.json` of a bundle (OCI runtime specification 1.0.2). `isNamespace` says that this
 * process is in a user namespace, which may not mount a new `/sys`.
 */
export function ociConfig(sandbox: Sandbox, command: readonly string[], isNamespace: boolean): object {
  const { root, files, network } = sandbox;
  const names = sandbox.capabilities.map((name) => `CAP_${name}`);
  const namespaces = ['mount', 'pid', 'ipc', 'uts', 'cgroup', ...(network === 'none' ? ['network'] : [])];
  const quiet = ['nosuid', 'nodev', 'noexec'];
  const mount = (destination: string, type: string, options: readonly string[], source = type): object => ({
    destination,
    type,
    source,
    options,
  });
  return {
    ociVersion: '1.0.2',
    ...(sandbox.ownName ? { hostname: HOSTNAME } : {}),
    process: {
      terminal: false,
      user: { uid: 0, gid: 0, umask: 0o022 },
      args: command,
      // The command's environment is set by the shell that starts it; that shell adds variables to the one
      // that it gets.
      env: [],
      cwd: '/',
      noNewPrivileges: true,
      capabilities: { bounding: names, effective: names, permitted: names },
    },
    root: { path: root, readonly: false },
    mounts: [
      mount('/proc', 'proc', quiet),
      // A device that a step creates here must not be opened.
      mount('/dev', 'tmpfs', ['nosuid', 'nodev', 'strictatime', 'mode=755']),
      ...ownDevices().map((name) =>
        mount(`/dev/${name}`, 'none', ['bind', 'ro', 'nosuid', 'noexec'], `/dev/${name}`),
      ),
      mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620']),
      mount('/dev/shm', 'tmpfs', [...quiet, 'mode=1777']),
      mount('/dev/mqueue', 'mqueue', quiet),
      isNamespace
        ? mount('/sys', 'none', ['rbind', ...quiet, 'ro'], '/sys')
        : mount('/sys', 'sysfs', [...quiet, 'ro']),
      // What is below a bound `/sys` can be written unless it is hidden: control groups that belong to this
      // user.
      ...(isNamespace ? [mount('/sys/fs/cgroup', 'tmpfs', [...quiet, 'ro', 'mode=755'])] : []),
      ...files.map(({ from, to }) => mount(to, 'none', ['bind'], from)),
    ],
    linux: {
      ...(canFilter() ? { seccomp: ociFilter(process.arch) } : {}),
      namespaces: namespaces.map((type) => ({ type })),
      readonlyPaths: sandbox.readOnly,
      maskedPaths: [...sandbox.hiddenFiles, ...sandbox.hiddenFolders],
    },
  };
}

/**
 * What crun needs besides: it forgets that devices of the root must not be opened, with which the root was
 * mounted. A hook that does not read its input (the container's state) fails.
 */
export function crunHooks({ root }: Sandbox): object {
  const keep = `while read -r _; do :; done; exec mount -o remount,bind,nosuid,nodev ${quoted(root)}`;
  const hook = { path: '/bin/sh', args: ['sh', '-c', keep], env: [`PATH=${PATH}`] };
  return { hooks: { createContainer: [hook] } };
}
