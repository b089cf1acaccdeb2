import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What control groups can limit. */
export type Limited = 'memory' | 'processes';

/** Where control groups for one kind of limit can be created. */
export interface GroupPlace {
  readonly version: 1 | 2;
  /** The folder that they are created in. */
  readonly folder: string;
}

/** Such a place; or what is missing for one, for people. */
export type PlaceAnswer = GroupPlace | { readonly missing: string };

/** The kernel's names of the controllers. */
const controllers: Readonly<Record<Limited, string>> = { memory: 'memory', processes: 'pids' };

/**
 * What `/proc/self/cgroup` and `/proc/self/mountinfo` say of this process (`man 7 cgroups`, `man 5 proc`).
 */
export interface OwnGroups {
  readonly cgroup: string;
  readonly mountinfo: string;
}

/** Reads both files; empty where they cannot be read. */
export function ownGroups(): OwnGroups {
  const read = (name: string): string => {
    try {
      return readFileSync(`/proc/self/${name}`, 'utf8');
    } catch {
      return '';
    }
  };
  return { cgroup: read('cgroup'), mountinfo: read('mountinfo') };
}

/**
 * Finds the place for groups below which this process's own limits hold, too. In a hierarchy of version 1
 * that is its own group. In version 2 only groups without processes can limit others, so it is the group
 * above, as long as the own group has no limit that would then be lost.
 */
export function placeFor(limited: Limited, own: OwnGroups): PlaceAnswer {
  const controller = controllers[limited];
  const rows = own.cgroup.split('\n').map((row) => /^\d+:([^:]*):(.*)$/.exec(row));
  const old = rows.find((row) => row?.[1]?.split(',').includes(controller));
  if (old) {
    const folder = folderOf(own.mountinfo, old[2] ?? '', 'cgroup', controller);
    if (folder === undefined)
      return {
        missing: `the control groups for ${controller} are not mounted where this process sees its own`,
      };
    return writable(folder) ? { version: 1, folder } : { missing: `${folder} cannot be written` };
  }
  const path = rows.find((row) => row?.[1] === '')?.[2];
  const folder = path === undefined ? undefined : folderOf(own.mountinfo, path, 'cgroup2', undefined);
  if (folder === undefined) return { missing: 'the kernel has no control groups that this process sees' };
  if (!controllersIn(folder, 'cgroup.controllers').includes(controller))
    return { missing: `${folder} has no controller ${controller}` };
  // Only the root has no such file. It may have processes beside groups that limit.
  const isRoot = !existsSync(join(folder, 'cgroup.type'));
  const parent = isRoot ? folder : dirname(folder);
  if (!existsSync(join(parent, 'cgroup.procs')))
    return { missing: `${folder} is not below another control group, where a second one could be made` };
  if (!writable(parent) || !writable(join(parent, 'cgroup.procs')))
    return {
      missing: `${parent} cannot be written; below systemd, systemd-run --user --scope starts a program where it can be`,
    };
  if (!controllersIn(parent, 'cgroup.subtree_control').includes(controller))
    return { missing: `${parent} does not give the controller ${controller} to groups in it` };
  if (!isRoot && limitIn(folder, `${controller}.max`) !== 'max')
    return { missing: `${folder} has a limit of its own, which a group beside it would not have` };
  return { version: 2, folder: parent };
}

/** The folder of a group of a hierarchy; undefined where it is not mounted, or lies outside of what is. */
function folderOf(
  mountinfo: string,
  path: string,
  type: 'cgroup' | 'cgroup2',
  controller: string | undefined,
): string | undefined {
  for (const row of mountinfo.split('\n')) {
    const [before = '', after = ''] = row.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ').map(unescaped);
    const [kind, , options = ''] = after.split(' ');
    if (kind !== type || (controller !== undefined && !options.split(',').includes(controller))) continue;
    if (root === '/') return join(point, path);
    if (path === root || path.startsWith(`${root}/`)) return join(point, path.slice(root.length));
  }
  return undefined;
}

const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const controllersIn = (folder: string, name: string): readonly string[] => limitIn(folder, name).split(' ');

function limitIn(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8').trim();
  } catch {
    return '';
  }
}
