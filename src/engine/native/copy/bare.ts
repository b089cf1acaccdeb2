import { execFile } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeTreeSync } from '../../../disk/index.ts';
import type { BytePath } from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';
import { look } from '../../overlay/disk.ts';
import { parentOf } from '../../overlay/layers.ts';
import { filterFile } from '../filter/index.ts';
import { becomes, envPaths } from '../sandbox/inside.ts';
import { jailWords, keptCapabilities, type Walls } from '../sandbox/jail.ts';
import { killRooted } from '../sandbox/processes.ts';
import { quoted } from '../sandbox/quoted.ts';
import { begin } from '../sandbox/run.ts';
import { networkFiles } from '../sandbox/runtime-files.ts';
import { deviceLinks, HOSTNAME } from '../sandbox/sandbox.ts';
import { PATH } from '../sandbox/starter.ts';
import { mountTarget } from '../workspace/prepare.ts';
import { mountedFiles } from '../workspace/stack.ts';
import { copyMetadata, type UpperTree } from '../workspace/upper-tree.ts';
import { fromPath, toPath } from '../workspace/workspace.ts';
import type { CopiedRoot, CopyRunner } from './runner.ts';

const execute = promisify(execFile);

/** Devices that commands expect, as `mknod` takes them. */
const nodes = ['null c 1 3', 'zero c 1 5', 'full c 1 7', 'random c 1 8', 'urandom c 1 9', 'tty c 5 0'];

/**
 * Runs commands by `chroot` in a copy, where nothing may be mounted, behind the walls that this machine has.
 * There is no `/proc` then. Devices and the files of the network are put into the copy while a command runs.
 */
export function bareRunner(root: CopiedRoot, walls: Walls): CopyRunner {
  const { run, group, files, network } = root;
  const scratch = run.store.freshPath('c');
  mkdirSync(scratch, { mode: 0o700 });
  const isOurs = (path: string): boolean => path === files;
  return {
    begin: (command, environment, listener) => {
      const tree = root.tree();
      const folder = `/${fromPath(tree.enter(root.folder).path)}`;
      const env = envPaths.find((path) => tree.resolve(path.slice(1)).stat?.isFile());
      const inside = { folder, environment: new Map([['HOSTNAME', HOSTNAME], ...environment]), env };
      const after = lend(root, tree);
      const chain = {
        folder: scratch,
        before: [...(network === 'none' ? ['unshare', '-n'] : []), ...limiting(walls)],
        script: () => `${makeDevices(files)}exec ${entering(files, walls, filterFile(scratch))} "$@"`,
        words: [],
        command: becomes(inside, command),
        entrances: group?.entrances ?? [],
        begun: (status: string) => (status.includes('begun') ? ('begun' as const) : undefined),
        onExit: () => killRooted(isOurs),
      };
      return { ending: begin(chain, run.starters, listener), after };
    },
    close: () => rm(scratch, { recursive: true, force: true }),
  };
}

/** Programs in front of the shell that enters the root, where perl does not do their work. */
function limiting(walls: Walls): string[] {
  if (walls.perl) return [];
  const kept = keptCapabilities(walls).map((name) => `+${name.toLowerCase()}`);
  return ['setpriv', '--no-new-privs', '--bounding-set', `-all,${kept.join()}`];
}

/** Shell words that enter the root. */
function entering(files: string, walls: Walls, filter: string | undefined): string {
  const words = walls.perl ? jailWords(files, walls, filter) : ['setsid', 'chroot', files];
  return words.map(quoted).join(' ');
}

/** Replaces files of the image by ours; returns a function that puts them back. */
function lend(root: CopiedRoot, tree: UpperTree): () => void {
  const { files, network } = root;
  const back: ((isInPlace: (path: BytePath) => boolean) => void)[] = [];
  for (const name of ['dev', 'etc']) tree.enter(name);
  if (!lstatSync(join(files, 'dev')).isDirectory())
    throw new EngineError("the image's /dev is not a folder, so nothing can run in it");
  const made = [...nodes, ...deviceLinks.map(([name]) => name)].map((row) => `dev/${row.split(' ')[0]}`);
  const fresh = made.filter((path) => look(toPath(join(files, path))) === undefined);
  for (const path of fresh)
    back.push((isInPlace) => {
      if (isInPlace(path)) removeTreeSync(join(files, path));
    });
  const contents = networkFiles(network);
  for (const name of mountedFiles) {
    const target = mountTarget(tree, name, root.made);
    if (target === undefined) continue;
    const { path, stat } = target;
    const { real } = tree.slot(path);
    const bytes = Buffer.from(real, 'latin1');
    const folder = look(parentOf(real));
    const before = stat === undefined ? undefined : readFileSync(bytes);
    // Never through a file that has other names in the image, too.
    rmSync(bytes, { force: true });
    writeFileSync(bytes, contents[name] ?? '', { mode: 0o644, flag: 'wx' });
    const lent = timeOf(parentOf(real));
    back.push((isInPlace) => {
      if (!isInPlace(path)) return;
      const isUntouched = timeOf(parentOf(real)) === lent;
      rmSync(bytes, { recursive: true, force: true });
      if (before !== undefined && stat !== undefined) {
        writeFileSync(bytes, before, { flag: 'wx' });
        copyMetadata(real, stat);
      }
      // The folder gets its time back: what was only done for the command leaves no trace.
      if (isUntouched && folder !== undefined) copyMetadata(parentOf(real), folder);
    });
  }
  return () => {
    // The command may have replaced a folder by a link that leads out of the copy.
    const now = root.tree();
    const isInPlace = (path: BytePath): boolean => {
      try {
        return now.folder(parentOf(path))?.path === parentOf(path);
      } catch {
        return false;
      }
    };
    for (const work of back.reverse()) work(isInPlace);
  };
}

/** When a folder was changed, as exactly as a time can be set. */
const timeOf = (real: BytePath): bigint | undefined => {
  const time = look(real)?.mtimeNs;
  return time === undefined ? undefined : time / 1_000_000n;
};

let noNetwork: Promise<unknown> | undefined;

/** Rejects with an `EngineError` where commands cannot be cut off from the network. */
export async function checkNoNetwork(): Promise<void> {
  noNetwork ??= execute('unshare', ['-n', 'true'], { env: { PATH }, timeout: 5000 });
  await noNetwork.catch((cause: Error) => {
    throw new EngineError('commands cannot be kept from the network here, which takes a namespace', {
      cause,
      hint: 'give them the network of this machine',
      advice: 'host-network',
    });
  });
}

/** Shell text that creates devices and links that a root does not have. */
function makeDevices(root: string): string {
  const at = (name = ''): string => quoted(join(root, 'dev', name));
  const made = nodes.map((row) => {
    const [name, ...kind] = row.split(' ');
    return `[ -e ${at(name)} ] || mknod -m 666 ${at(name)} ${kind.join(' ')}; `;
  });
  const links = deviceLinks.map(([name, to]) => `[ -L ${at(name)} ] || ln -s ${to} ${at(name)}; `);
  return [...made, ...links].join('');
}
