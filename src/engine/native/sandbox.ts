import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';

/** The capabilities that Docker gives containers (`man 7 capabilities`). */
export const capabilities: readonly string[] = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];

/** What of `/proc` and `/sys` tells or changes too much of the machine: hidden, or not to be written. As Docker has it. */
const hiddenFiles = ['kcore', 'keys', 'latency_stats', 'timer_list', 'timer_stats', 'sched_debug'];
const hiddenFolders = ['/proc/acpi', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'];
/** What is mounted below `/sys` beside control groups: Docker's containers have a `/sys` without such, and a sandbox may have this machine's. */
const hiddenMounts = [
  ...['/sys/fs/bpf', '/sys/fs/fuse/connections', '/sys/fs/pstore', '/sys/kernel/config', '/sys/kernel/debug'],
  ...['/sys/kernel/security', '/sys/kernel/tracing'],
];
const readOnly = ['asound', 'bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];

/** The name of the machine that commands see. */
export const HOSTNAME = 'luetbuild';

/** Devices that commands count on in `/dev`, besides terminals. */
export const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;

/** Links that commands count on in `/dev`: name and target. */
export const deviceLinks: readonly (readonly [string, string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', 'fd/0'],
  ['stdout', 'fd/1'],
  ['stderr', 'fd/2'],
];

/** The machine, as far as a sandbox depends on it. */
export interface Surroundings {
  /** Whether a path is there on this machine. */
  isThere(path: string): boolean;
  /** Whether a file system is mounted at a path of this machine. */
  isMount(path: string): boolean;
  /** Whether the kernel lets us mount a new `/proc`; a container may forbid that. */
  readonly freshProc: boolean;
  /** Whether the kernel lets a sandbox have a host name of its own; a container's filter of system calls may forbid that. */
  readonly ownName: boolean;
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

/**
 * A sandbox, whatever makes it: namespaces of its own for mounts, processes, names and messages, and for the network if that is `none`; a
 * `/dev` of its own; `/sys` not to be written; no new privileges, and no capabilities but its own.
 */
export interface Sandbox extends SandboxOptions {
  /** All that the command finds in its environment. */
  readonly environment: ReadonlyMap<string, string>;
  /** Those of Docker; on this machine's network without the one that reads everybody's packets. */
  readonly capabilities: readonly string[];
  /** Whether `/proc` is its own; this machine's, not to be written, where not. */
  readonly freshProc: boolean;
  /** Whether its host name is its own; this machine's where not. */
  readonly ownName: boolean;
  /** Paths inside that are not to be written. */
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
