import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';

/** The capabilities that Docker gives containers (`man 7 capabilities`). */
export const capabilities: readonly string[] = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];

/**
 * What in `/proc` and `/sys` reveals or changes too much of the machine. It is hidden or read-only, as in
 * Docker.
 */
const hiddenFiles = ['kcore', 'keys', 'latency_stats', 'timer_list', 'timer_stats', 'sched_debug'];
const hiddenFolders = ['/proc/acpi', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'];
/**
 * What is mounted below `/sys` besides control groups: Docker's containers have a `/sys` without, but a
 * sandbox may have this machine's.
 */
const hiddenMounts = [
  ...['/sys/fs/bpf', '/sys/fs/fuse/connections', '/sys/fs/pstore', '/sys/kernel/config', '/sys/kernel/debug'],
  ...['/sys/kernel/security', '/sys/kernel/tracing'],
];
const readOnly = ['asound', 'bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];

/** The host name that commands see. */
export const HOSTNAME = 'luetbuild';

/** Devices that commands expect in `/dev`, besides terminals. */
export const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;

/** Links that commands expect in `/dev`: name and target. */
export const deviceLinks: readonly (readonly [string, string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', 'fd/0'],
  ['stdout', 'fd/1'],
  ['stderr', 'fd/2'],
];

/** What a sandbox depends on of this machine. */
export interface Surroundings {
  /** Whether something exists at a path of this machine. */
  isThere(path: string): boolean;
  /** Whether a file system is mounted at a path of this machine. */
  isMount(path: string): boolean;
  /** Whether the kernel allows mounting a new `/proc`; in a container it may not. */
  readonly freshProc: boolean;
  /**
   * Whether the kernel allows a sandbox to have its own host name; a container's filter of system calls may
   * not.
   */
  readonly ownName: boolean;
}

/** What describes one command's sandbox. */
export interface SandboxOptions {
  /** The folder that becomes `/`. */
  readonly root: string;
  /** Files of this machine that are mounted over paths inside. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** The folder that the command starts in; it exists. */
  readonly folder: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly network: 'host' | 'none';
}

/**
 * A sandbox, whatever makes it. It has its own namespaces for mounts, processes, names and messages, and for
 * the network if that is `none`; its own `/dev`; a read-only `/sys`; no new privileges, and only these
 * capabilities.
 */
export interface Sandbox extends SandboxOptions {
  /** The complete environment of the command. */
  readonly environment: ReadonlyMap<string, string>;
  /** Those of Docker; on this machine's network without the one that could read all packets. */
  readonly capabilities: readonly string[];
  /** Whether it has a new `/proc`; else this machine's, read-only. */
  readonly freshProc: boolean;
  /** Whether it has its own host name; else this machine's. */
  readonly ownName: boolean;
  /** Paths inside that are read-only. */
  readonly readOnly: readonly string[];
  /** Files inside that read as empty. */
  readonly hiddenFiles: readonly string[];
  /** Folders inside that are empty. */
  readonly hiddenFolders: readonly string[];
}

/** Whether a file system is mounted at a path. */
export function isMount(path: string): boolean {
  const inner = lstatSync(path, { throwIfNoEntry: false });
  return inner !== undefined && inner.dev !== lstatSync(dirname(path)).dev;
}

/** Describes a command's sandbox on this machine. */
export function describeSandbox(options: SandboxOptions, around: Surroundings): Sandbox {
  const there = (paths: readonly string[]): string[] => paths.filter((path) => around.isThere(path));
  const inProc = (names: readonly string[]): string[] => there(names.map((name) => `/proc/${name}`));
  return {
    ...options,
    environment: new Map([['HOSTNAME', HOSTNAME], ...options.environment]),
    capabilities:
      options.network === 'host' ? capabilities.filter((name) => name !== 'NET_RAW') : capabilities,
    freshProc: around.freshProc,
    ownName: around.ownName,
    readOnly: inProc(readOnly),
    hiddenFiles: inProc(hiddenFiles),
    hiddenFolders: [...there(hiddenFolders), ...hiddenMounts.filter((path) => around.isMount(path))],
  };
}
