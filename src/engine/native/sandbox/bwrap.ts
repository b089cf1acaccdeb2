import { HOSTNAME, type Sandbox } from './sandbox.ts';

/** Paths that bubblewrap makes read-only without being asked. */
const ownReadOnly = new Set(['/proc/bus', '/proc/irq', '/proc/sysrq-trigger']);

/** Bubblewrap's arguments for a sandbox, before those of the command. The sandbox ends with this program. */
export function bwrapWords(sandbox: Sandbox): string[] {
  const { root, files, folder, environment, network, capabilities } = sandbox;
  const readOnly = sandbox.readOnly.filter((path) => !ownReadOnly.has(path));
  return [
    ...['--die-with-parent', '--new-session', '--unshare-pid', '--as-pid-1'],
    ...['--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(sandbox.ownName ? ['--hostname', HOSTNAME] : []),
    ...(network === 'none' ? ['--unshare-net'] : []),
    ...['--bind', root, '/', '--dev', '/dev', '--mqueue', '/dev/mqueue'],
    // Bubblewrap's own one could be used by root alone.
    ...['--chmod', '1777', '/dev/shm'],
    ...(sandbox.freshProc ? ['--proc', '/proc'] : ['--ro-bind', '/proc', '/proc']),
    ...readOnly.flatMap((path) => ['--ro-bind', path, path]),
    ...sandbox.hiddenFiles.flatMap((path) => ['--dev-bind', '/dev/null', path]),
    ...['--ro-bind', '/sys', '/sys'],
    ...sandbox.hiddenFolders.flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    ...files.flatMap(({ from, to }) => ['--bind', from, to]),
    ...['--cap-drop', 'ALL', ...capabilities.flatMap((name) => ['--cap-add', `CAP_${name}`])],
    ...['--chdir', folder, '--clearenv'],
    ...[...environment].flatMap(([name, value]) => ['--setenv', name, value]),
  ];
}
