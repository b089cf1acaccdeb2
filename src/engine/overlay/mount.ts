import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The folders that an overlay mount is made of, as absolute paths. */
export interface OverlayMount {
  readonly upper: string;
  /** The layer directly below the upper folder comes first. */
  readonly lowers: readonly string[];
}

/** Where a process's root lies on this machine, or why that cannot be found out. */
export type MountAnswer =
  | { readonly ok: true; readonly mount: OverlayMount }
  | { readonly ok: false; readonly reason: string };

const no = (reason: string): MountAnswer => ({ ok: false, reason });

/**
 * The overlay folders below the root of a container's process, where this process can read them.
 *
 * `pid` is the id that the engine has for the container's first process. It is the same here only if the
 * engine shares our process namespace, so the mount table must name the container's id (Docker and podman
 * mount files from a folder of that name). Owners on disk must be those inside, so there must be no user
 * namespace.
 */
export function overlayOf(pid: number, containerId: string): MountAnswer {
  if (pid <= 0) return no('the engine tells no process id');
  let table: string;
  let owners: string;
  try {
    table = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
    owners = readFileSync(`/proc/${pid}/uid_map`, 'utf8');
  } catch {
    return no('the container runs in another process namespace than this program');
  }
  if (!table.includes(containerId))
    return no('the container runs in another process namespace than this program');
  if (!/^\s*0\s+0\s+4294967295\s*$/.test(owners)) return no('the container runs in a user namespace');
  return parseMountTable(table);
}

/**
 * Finds the overlay at `/` in a mount table (`proc(5)`, `/proc/PID/mountinfo`) and checks that its folders
 * are here.
 */
export function parseMountTable(table: string): MountAnswer {
  const row = table.split('\n').find((line) => line.split(' ')[4] === '/');
  const [type, , options] = row?.split(' - ')[1]?.split(' ') ?? [];
  if (type !== 'overlay' || options === undefined)
    return no(`the container's root is ${type ?? 'unknown'}, not an overlay`);
  let upper: string | undefined;
  const lowers: string[] = [];
  for (const option of options.split(/(?<!\\),/)) {
    const value = decodeOctal(option.slice(option.indexOf('=') + 1));
    if (option.startsWith('upperdir=')) upper = value.replace(/\\(.)/g, '$1');
    else if (option.startsWith('lowerdir+=')) lowers.push(value);
    else if (option.startsWith('lowerdir='))
      lowers.push(...value.split(/(?<!\\):/).map((part) => part.replace(/\\(.)/g, '$1')));
    else if (/^(redirect_dir=on|metacopy=on)$/.test(option))
      return no(`the overlay is mounted with ${option}`);
  }
  if (upper === undefined || lowers.length === 0)
    return no("the mount table does not name the overlay's folders");
  // An engine that stacks many layers mounts from inside its data folder, with relative names.
  const bases = upper.startsWith('/') ? [dirname(dirname(upper)), dirname(upper)] : [];
  const absolute = (path: string): string | undefined =>
    [path, ...bases.map((base) => resolve(base, path))].find((p) => p.startsWith('/') && isFolder(p));
  const folders = [upper, ...lowers].map(absolute);
  const missing = folders.indexOf(undefined);
  if (missing >= 0) return no(`${[upper, ...lowers][missing]} is not readable here`);
  // Docker has short links as names of layers.
  const [first, ...rest] = folders
    .filter((folder) => folder !== undefined)
    .map((folder) => realpathSync(folder));
  return first === undefined ? no('no upper folder') : { ok: true, mount: { upper: first, lowers: rest } };
}

/** The mount table writes blanks, tabs, newlines and backslashes as octal escapes. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
