import { packageName } from '../spec/index.ts';
import type { Tree } from '../tree/index.ts';

/**
 * A hint for a `category/name` that only a subpackage has: it names the main package to require at build
 * time. Undefined if no subpackage has that name.
 */
export function cutHint(tree: Tree, name: string): string | undefined {
  for (const { key } of tree.runtime.byName(name)) {
    const owner = tree.ownerOf(key);
    if (owner !== undefined)
      return `${key} is a subpackage of ${owner.key}: require ${packageName(owner.definition)} instead`;
  }
  return undefined;
}
