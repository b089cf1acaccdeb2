import { packageName } from '../spec/index.ts';
import { versionKey } from '../version/index.ts';
import type { PackageIndex, TreePackage } from './types.ts';

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Indexes packages by key and by name. */
export function indexPackages(packages: ReadonlyMap<string, TreePackage>): PackageIndex {
  const named = new Map<string, TreePackage[]>();
  for (const pack of packages.values()) {
    const name = packageName(pack.definition);
    const same = named.get(name);
    if (same === undefined) named.set(name, [pack]);
    else same.push(pack);
  }
  const families = [...named].sort(([, [a]], [, [b]]) => {
    if (a === undefined || b === undefined) return 0;
    const [x, y] = [a.definition, b.definition];
    return compareText(x.category, y.category) || compareText(x.name, y.name);
  });
  const sorted: TreePackage[] = [];
  for (const [, family] of families) {
    if (family.length > 1) sortNewestFirst(family);
    for (let i = family.length - 1; i >= 0; i--) sorted.push(family[i] as TreePackage);
  }
  const byName = new Map(families.reverse());
  return {
    packages: sorted,
    byName: (name) => byName.get(name) ?? [],
    byKey: (key) => packages.get(key),
    names: () => byName.keys(),
  };
}

function sortNewestFirst(family: TreePackage[]): void {
  const keys = new Map(family.map((pack) => [pack, versionKey(pack.definition.version)]));
  family.sort((a, b) => compareText(keys.get(b) ?? '', keys.get(a) ?? '') || compareText(b.key, a.key));
}
