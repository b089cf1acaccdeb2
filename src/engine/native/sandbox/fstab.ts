import { devices, type Sandbox } from './sandbox.ts';

/** A path as `fstab` has it: blanks, ends of lines and backslashes in octal. */
const escaped = (path: string): string =>
  path.replace(/[\s\\#]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`);

/**
 * The mounts of a sandbox for `mount --all --fstab`, over a `/dev` and a new `/proc` that are mounted already
 * (`man 5 fstab`). Each also names the flags that this machine's mounts may have, because in a user namespace
 * these cannot be removed. `isNamespace` says that this process is in one, which may not mount a new `/sys`.
 */
export function sandboxMounts(sandbox: Sandbox, isNamespace: boolean): string {
  const { root } = sandbox;
  const rows: string[] = [];
  const mount = (from: string, to: string, type: string, options: string): void => {
    rows.push(`${escaped(from)} ${escaped(`${root}${to}`)} ${type} ${options} 0 0\n`);
  };
  const quiet = 'nosuid,nodev,noexec';
  // These devices are the machine's: a command must not change their modes and owners.
  for (const name of devices) mount(`/dev/${name}`, `/dev/${name}`, 'none', 'bind,ro,nosuid,noexec');
  mount('devpts', '/dev/pts', 'devpts', 'nosuid,noexec,newinstance,ptmxmode=0666,mode=0620');
  mount('tmpfs', '/dev/shm', 'tmpfs', `${quiet},mode=1777`);
  mount('mqueue', '/dev/mqueue', 'mqueue', quiet);
  if (!sandbox.freshProc) mount('/proc', '/proc', 'none', `rbind,ro,${quiet}`);
  if (isNamespace) mount('/sys', '/sys', 'none', `rbind,ro,${quiet}`);
  else mount('sysfs', '/sys', 'sysfs', `ro,${quiet}`);
  // What is below a bound `/sys` can be written unless it is hidden: control groups that belong to this user.
  if (isNamespace) mount('tmpfs', '/sys/fs/cgroup', 'tmpfs', `ro,${quiet},mode=755`);
  for (const path of sandbox.readOnly) mount(`${root}${path}`, path, 'none', `bind,ro,${quiet}`);
  for (const path of sandbox.hiddenFiles) mount('/dev/null', path, 'none', 'bind,ro,nosuid,noexec');
  for (const path of sandbox.hiddenFolders) mount('tmpfs', path, 'tmpfs', `ro,${quiet},mode=755`);
  for (const { from, to } of sandbox.files) mount(from, to, 'none', 'bind');
  return rows.join('');
}
