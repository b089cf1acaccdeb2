import { packageName } from '../spec/index.ts';
import type { Tree } from '../tree/index.ts';

/** What to ask for at build time instead of a `category/name` that subpackages have; undefined where none has it. */
export function cutHint(tree: Tree, name: string): string | undefined {
  for (const { key } of tree.runtime.byName(name)) {
    const owner = tree.ownerOf(key);
    if (owner !== undefined)
      return `${key} is cut from ${owner.key} when that is built: ask for ${packageName(owner.definition)}`;
  }
  return undefined;
}
