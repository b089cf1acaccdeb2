import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ending } from '../../support/site.ts';

/** The capabilities that Docker gives. */
const capabilities = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];

/** Numbers of the system calls `mount` and `unshare`. */
const [mount, unshare] = process.arch === 'arm64' ? [40, 97] : [165, 272];

/** One instruction of the kernel's packet filter (`struct sock_filter`). */
function instruction(code: number, whenTrue: number, whenFalse: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(whenTrue, 2);
  bytes.writeUInt8(whenFalse, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

/** A filter that refuses `mount` and `unshare` with EPERM, as Docker's default one does in a container without CAP_SYS_ADMIN. */
const filter = Buffer.concat([
  instruction(0x20, 0, 0, 0),
  instruction(0x15, 1, 0, mount ?? 0),
  instruction(0x15, 0, 1, unshare ?? 0),
  instruction(0x06, 0, 0, 0x00050001),
  instruction(0x06, 0, 0, 0x7fff0000),
]);

/**
 * Words that run a program as root in what is, but for the list of devices, a container without privileges: by Docker's default (`default`), or, as most Kubernetes pods are, without a filter of
 * system calls (`unconfined`).
 */
export function contained(ending: Ending, kind: 'default' | 'unconfined'): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-filter-'));
  ending.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'filter');
  writeFileSync(file, filter);
  const hidden = ['--ro-bind', '/proc/sys', '/proc/sys', '--tmpfs', '/proc/fs'];
  const kept = capabilities.flatMap((name) => ['--cap-add', `CAP_${name}`]);
  const words = ['--dev-bind', '/', '/', ...hidden, '--cap-drop', 'ALL', ...kept];
  if (kind === 'default') words.push('--seccomp', '9');
  return ['sh', '-c', `exec 9<"$0"; exec bwrap "$@"`, file, ...words, '--'];
}
