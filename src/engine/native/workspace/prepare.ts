import { rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { type BytePath, toBytes } from '../../../tar/index.ts';
import { EngineError, NoShellError } from '../../errors.ts';
import { look, names } from '../../overlay/disk.ts';
import { join, type LayerView, parentOf } from '../../overlay/layers.ts';
import { destination } from '../../runtime.ts';
import { envPaths } from '../sandbox/inside.ts';
import { mountedFiles } from './stack.ts';
import type { Stat, UpperTree } from './upper-tree.ts';
import { fromPath } from './workspace.ts';

/** What must be known of a root to run a command in it. */
export interface PreparedRoot {
  /** The folder that the command starts in, as the command sees it. */
  readonly folder: string;
  /** Files of this machine that are mounted over paths of the root. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** The path of the image's `env`; undefined where it has none. */
  readonly env: string | undefined;
}

/**
 * Creates the folder of commands, and finds the paths over which files of the folder `from` are mounted: no
 * link of the image may lead them out of the root. Places that had to be created for that are added to
 * `made`. Throws an `EngineError` where the image has something else in the place of a folder.
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
 * The path over which a file of `/etc` is mounted, with links of the image followed. What must be created for
 * that is added to `made`. Undefined where something else than a file is there.
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
 * Removes places that were created for mounts, so that no image has them: empty files, and folders that
 * nothing else was put into. `layer` is a folder of files in which nothing is mounted any more. A path that
 * lower layers have, too, is left alone, because it is hidden.
 */
export function removePlaces(layer: BytePath, made: Iterable<BytePath>, below: LayerView): void {
  for (const path of [...made].sort().reverse()) {
    const real = `${layer}/${path}`;
    const stat = below.find(path) === undefined && isWithin(layer, path) ? look(real) : undefined;
    if (stat?.isFile() && stat.size === 0n) unlinkSync(toBytes(real));
    if (stat?.isDirectory() && names(real).length === 0) rmdirSync(toBytes(real));
  }
}

/** Whether everything on the way to a path of a layer is a folder: a command may have put links there. */
function isWithin(layer: BytePath, path: BytePath): boolean {
  for (let at = parentOf(path); at !== ''; at = parentOf(at))
    if (!look(`${layer}/${at}`)?.isDirectory()) return false;
  return true;
}

/** Whether everything that `prepareRoot` makes exists, so that it would change nothing. */
export function isRootPrepared(tree: UpperTree, folder: BytePath): boolean {
  return (
    tree.isRaised(folder) &&
    mountedFiles.every((name) => {
      const target = mountTarget(tree, name, new Set());
      return target === undefined || target.stat !== undefined;
    })
  );
}

/** Looks for the shell that runs commands until it is found: an upload may bring it. */
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
