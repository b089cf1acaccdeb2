/** The capabilities that Docker gives containers (`man 7 capabilities`). */
export const capabilities: readonly string[] = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];

/** What of `/proc` and `/sys` tells or changes too much of the machine: hidden, or not to be written. As Docker has it. */
const hiddenFiles = ['kcore', 'keys', 'latency_stats', 'timer_list', 'timer_stats', 'sched_debug'];
const hiddenFolders = ['/proc/acpi', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'];
/** Bubblewrap sees to `bus`, `irq` and `sysrq-trigger` itself. */
const readOnly = ['asound', 'fs', 'sys'];

/** The machine, as far as a sandbox depends on it. */
export interface Surroundings {
  /** Whether a path is there on this machine. */
  isThere(path: string): boolean;
  /** Whether the kernel lets us mount a new `/proc`; a container may forbid that. */
  readonly freshProc: boolean;
}

/** What one command's sandbox is made of. */
export interface SandboxOptions {
  /** The folder that becomes `/`. */
  readonly root: string;
  /** Files of this machine that lie over paths inside. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** The folder that the command begins in; it is there. */
  readonly folder: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly network: 'host' | 'none';
}

/** The name of the machine that commands see. */
export const HOSTNAME = 'luetbuild';

/**
 * Words for bubblewrap, before those of the command: namespaces of its own, Docker's capabilities and hidden paths, and an end with
 * this program's.
 */
export function sandboxWords(options: SandboxOptions, around: Surroundings): string[] {
  const { root, files, folder, environment, network } = options;
  const there = (paths: readonly string[]): string[] => paths.filter((path) => around.isThere(path));
  const inProc = (names: readonly string[]): string[] => there(names.map((name) => `/proc/${name}`));
  const env = new Map([['HOSTNAME', HOSTNAME], ...environment]);
  return [
    ...['--die-with-parent', '--new-session', '--unshare-pid', '--unshare-ipc', '--unshare-uts'],
    ...['--unshare-cgroup-try', '--hostname', HOSTNAME, ...(network === 'none' ? ['--unshare-net'] : [])],
    ...['--bind', root, '/', '--dev', '/dev', '--mqueue', '/dev/mqueue'],
    ...(around.freshProc ? ['--proc', '/proc'] : ['--ro-bind', '/proc', '/proc']),
    ...inProc(readOnly).flatMap((path) => ['--ro-bind', path, path]),
    ...inProc(hiddenFiles).flatMap((path) => ['--dev-bind', '/dev/null', path]),
    ...['--ro-bind', '/sys', '/sys'],
    ...there(hiddenFolders).flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    ...files.flatMap(({ from, to }) => ['--bind', from, to]),
    ...['--cap-drop', 'ALL', ...capabilities.flatMap((name) => ['--cap-add', `CAP_${name}`])],
    ...['--chdir', folder, '--clearenv', ...[...env].flatMap(([name, value]) => ['--setenv', name, value])],
  ];
}
