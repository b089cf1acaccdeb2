import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from '../../../disk/index.ts';
import { isProcessorKnown, jailWords, LANDLOCK_MOVES, type Walls } from '../sandbox/jail.ts';
import { PATH } from '../sandbox/starter.ts';
import { isAdministrator } from './namespace.ts';
import { failure } from './trial.ts';

const run = promisify(execFile);

/**
 * Why commands cannot run in a folder by `chroot`; undefined where they can. Files for the trial are written
 * to `folder`.
 */
export async function whyNoChroot(folder: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'chroot takes root';
  const reason = await failure('chroot', ['/', 'true']);
  if (reason !== undefined) return reason;
  makeFolder(folder, 0o700);
  const made = await failure('mknod', ['-m', '600', join(folder, 'null'), 'c', '1', '3']);
  if (made !== undefined) return `devices such as /dev/null cannot be made: ${made}`;
  return isOpen(join(folder, 'null'))
    ? undefined
    : `devices cannot be opened in ${folder}: use another store`;
}

/**
 * Finds out what can keep commands inside of a `chroot` here. Files for the trial are written to `folder`.
 */
export async function wallsHere(folder: string): Promise<Walls> {
  const none: Walls = {
    perl: isProcessorKnown && (await failure('perl', ['-e', '1'])) === undefined,
    capabilities: false,
    namespaces: false,
    landlock: 0,
    guardedDevices: await areDevicesGuarded(folder),
  };
  if (!none.perl) return none;
  const version = await landlockVersion();
  const stands = async (more: Partial<Walls>): Promise<boolean> => {
    const [program = '', ...words] = jailWords('/', { ...none, ...more });
    return (await failure(program, [...words, 'true'])) === undefined;
  };
  const [capabilities, namespaces, landlock] = await Promise.all([
    stands({ capabilities: true }),
    isAdministrator() && stands({ namespaces: true }),
    version >= LANDLOCK_MOVES && stands({ landlock: version }),
  ]);
  return { ...none, capabilities, namespaces, landlock: landlock ? version : 0 };
}

/** The version of Landlock that this process can use; 0 where it has none. */
async function landlockVersion(): Promise<number> {
  try {
    // The number of `landlock_create_ruleset` is the same on all processors.
    const { stdout } = await run('perl', ['-e', 'print syscall 444, 0, 0, 1'], { env: { PATH } });
    return Math.max(0, Number(stdout) || 0);
  } catch {
    return 0;
  }
}

/**
 * Whether the kernel refuses to open this machine's disks and memory, as in a container whose control group
 * has a list of devices. No disk is read.
 */
async function areDevicesGuarded(folder: string): Promise<boolean> {
  const blocks = namesIn('/sys/dev/block').map((name) => `b ${name.replace(':', ' ')}`);
  const nodes = ['c 1 1', 'b 8 0', ...blocks];
  const script = nodes.map((node, i) => `mknod -m 600 d${i} ${node}`).join('; ');
  await failure('sh', ['-c', script], folder);
  return nodes.every((_, i) => !isOpen(join(folder, `d${i}`), true));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether a device can be opened. For a device that does not exist, the answer is `orLacking`. */
function isOpen(path: string, orLacking = false): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return orLacking && !['EPERM', 'EACCES', 'ENOENT'].includes(code);
  }
}
