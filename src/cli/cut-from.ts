import type { Tree } from '../tree/index.ts';

/** What is cut from what, of packages that one needs and others that it does not: sentences about "it". */
export function cutBetween(
  tree: Tree,
  needed: readonly string[],
  others: ReadonlySet<string>,
): readonly string[] {
  const keys = new Set(needed);
  const ownerOf = (key: string, owners: ReadonlySet<string>): string | undefined => {
    const owner = tree.ownerOf(key)?.key;
    return owner !== undefined && owners.has(owner) ? owner : undefined;
  };
  const parts = [...others].flatMap((key) => {
    const owner = ownerOf(key, keys);
    return owner === undefined ? [] : [`${key} is cut from ${owner}, which it needs`];
  });
  const subpackages = needed.flatMap((key) => {
    const owner = ownerOf(key, others);
    return owner === undefined ? [] : [`it needs ${key}, which is cut from ${owner}`];
  });
  return [...parts, ...subpackages];
}
