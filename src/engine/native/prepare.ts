import { rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { type BytePath, toBytes } from '../../tar/index.ts';
import { EngineError, NoShellError } from '../errors.ts';
import { look, names } from '../overlay/disk.ts';
import { join, type LayerView, parentOf } from '../overlay/layers.ts';
import { destination } from '../runtime.ts';
import { envPaths } from './inside.ts';
import { fromPath } from './native-workspace.ts';
import { mountedFiles } from './stack.ts';
import type { Stat, UpperTree } from './upper-tree.ts';

/** What of a root has to be known to run a command in it. */
export interface PreparedRoot {
  /** The folder that it begins in, as it sees that. */
  readonly folder: string;
  /** Files of this machine that lie over paths of the root. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** Where the image has `env`. */
  readonly env: string | undefined;
}

/**
 * Makes the folder of commands, and finds where files are mounted, which lie in the folder `from`: no link of the image's may lead these elsewhere.
 * `made` is told of places that had to be made for that. Throws an `EngineError` where the image has something else in the place of a folder.
 */
export function prepareRoot(
  tree: UpperTree,
  folder: BytePath,
  from: string,
  made: Set<BytePath>,
): PreparedRoot {
  for (const name of ['dev', 'proc', 'sys'])
    if (!tree.find(name)?.stat.isDirectory())
      throw new EngineError(`the image's /${name} is not a folder, so nothing can run in it`);
  const files: { from: string; to: string }[] = [];
  for (const name of mountedFiles) {
    const target = mountTarget(tree, name, made);
    if (target === undefined) continue;
    if (target.stat === undefined) {
      const slot = tree.slot(target.path);
      tree.clear(slot);
      writeFileSync(Buffer.from(slot.real, 'latin1'), '', { mode: 0o644 });
    }
    files.push({ from: joinPath(from, name), to: `/${fromPath(target.path)}` });
  }
  const env = envPaths.find((path) => tree.resolve(path.slice(1)).stat?.isFile());
  return { folder: `/${fromPath(tree.enter(folder).path)}`, files, env };
}

/** The file over which one of `mountedFiles` is mounted. */
export interface MountTarget {
  /** Without links. */
  readonly path: BytePath;
  /** Undefined where nothing is there. */
  readonly stat: Stat | undefined;
}

/**
 * Where a file of `/etc` is mounted, links of the image followed. `made` is told of what will have to be made for that. Undefined where something else than
 * a file is there.
 */
export function mountTarget(tree: UpperTree, name: string, made: Set<BytePath>): MountTarget | undefined {
  const to = destination(`etc/${name}`, (path) => {
    const stat = tree.find(path)?.stat;
    if (stat === undefined) return undefined;
    if (stat.isDirectory()) return 'folder';
    return stat.isSymbolicLink() ? { link: tree.linkAt(path) } : 'other';
  });
  if (to === undefined) return undefined;
  if (to.other !== undefined) {
    const stat = tree.find(to.other)?.stat;
    return stat?.isFile() ? { path: to.other, stat } : undefined;
  }
  if (to.missing.length === 0) return undefined;
  let path = to.folder;
  for (const part of to.missing) {
    path = join(path, part);
    made.add(path);
  }
  return { path, stat: undefined };
}

/**
 * Takes away places that were made for mounts, so that no image has them: empty files, and folders that nothing else has come into. `layer` is a folder of
 * files in which nothing is mounted any more; what lower layers have at such a path as well is left, because it is hidden.
 */
export function removePlaces(layer: BytePath, made: Iterable<BytePath>, below: LayerView): void {
  for (const path of [...made].sort().reverse()) {
    const real = `${layer}/${path}`;
    const stat = below.find(path) === undefined && isWithin(layer, path) ? look(real) : undefined;
    if (stat?.isFile() && stat.size === 0n) unlinkSync(toBytes(real));
    if (stat?.isDirectory() && names(real).length === 0) rmdirSync(toBytes(real));
  }
}

/** Whether all that leads to a path of a layer are folders of it: a command may have put links in their place. */
function isWithin(layer: BytePath, path: BytePath): boolean {
  for (let at = parentOf(path); at !== ''; at = parentOf(at))
    if (!look(`${layer}/${at}`)?.isDirectory()) return false;
  return true;
}

/** Whether everything that `prepareRoot` sees to is there, so that it would change nothing. */
export function isRootPrepared(tree: UpperTree, folder: BytePath): boolean {
  return (
    tree.isRaised(folder) &&
    mountedFiles.every((name) => {
      const target = mountTarget(tree, name, new Set());
      return target === undefined || target.stat !== undefined;
    })
  );
}

/** Whether a root has the shell that commands are run by, looked for until it is there: it may be brought by an upload. */
export class ShellCheck {
  readonly #image: string;
  #isThere = false;

  constructor(image: string) {
    this.#image = image;
  }

  /** Throws a `NoShellError` where the root has no shell. */
  check(tree: UpperTree): void {
    this.#isThere ||= tree.resolve('bin/sh').stat?.isFile() === true;
    if (!this.#isThere) throw new NoShellError(this.#image);
  }
}
