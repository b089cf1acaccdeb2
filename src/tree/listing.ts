import { relative, resolve } from 'node:path';
import type { TreePackage } from './types.ts';

/** A package as `tree pkglist` and `tree images` list it, with the names that Luet gives these fields. */
export interface ListedPackage {
  readonly category: string;
  /** Its image's reference; empty where images are not asked for, null where it cannot be known. */
  readonly image: string | null;
  readonly name: string;
  /** Its folder, under its tree as that was given. */
  readonly path: string;
  readonly version: string;
}

/** A package of a tree, as it is listed. Relative trees are those of `cwd`. */
export function listedPackage(pack: TreePackage, cwd: string, image: string | null = ''): ListedPackage {
  const { name, category, version } = pack.definition;
  const below = relative(resolve(cwd, pack.tree), pack.folder);
  const root = pack.tree === '/' ? '/' : pack.tree.replace(/\/+$/, '');
  const path = below === '' ? root : root === '.' ? below : `${root}${root === '/' ? '' : '/'}${below}`;
  return { category, image, name, path, version };
}
