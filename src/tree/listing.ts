import { relative, resolve } from 'node:path';
import type { TreePackage } from './types.ts';

/** One row of `tree pkglist` and `tree images`, with the field names of Luet. */
export interface ListedPackage {
  readonly category: string;
  /**
   * Reference of its image. Empty if images were not requested, null if the reference cannot be determined.
   */
  readonly image: string | null;
  readonly name: string;
  /** The package folder, below the tree as it was given. */
  readonly path: string;
  readonly version: string;
}

/** A package as a row of the list. Relative trees are relative to `cwd`. */
export function listedPackage(pack: TreePackage, cwd: string, image: string | null = ''): ListedPackage {
  const { name, category, version } = pack.definition;
  const below = relative(resolve(cwd, pack.tree), pack.folder);
  const root = pack.tree === '/' ? '/' : pack.tree.replace(/\/+$/, '');
  const path = below === '' ? root : root === '.' ? below : `${root}${root === '/' ? '' : '/'}${below}`;
  return { category, image, name, path, version };
}
