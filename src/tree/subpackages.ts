import { formatPackage, type Subpackage } from '../spec/index.ts';
import type { TreePackage } from './types.ts';

/** A subpackage and its main package, whose finished files it is cut from. */
export interface OwnedSubpackage {
  readonly subpackage: Subpackage;
  readonly owner: TreePackage;
}

/** All subpackages by `category/name-version`. If several have the same name, the first one is used. */
export function ownedSubpackages(packages: readonly TreePackage[]): ReadonlyMap<string, OwnedSubpackage> {
  const found = new Map<string, OwnedSubpackage>();
  for (const owner of packages) {
    for (const subpackage of owner.build?.subpackages ?? []) {
      const key = formatPackage(subpackage);
      if (!found.has(key)) found.set(key, { subpackage, owner });
    }
  }
  return found;
}

/** A subpackage as a package of its tree. It has the folder of its main package and no build. */
export function subpackagePackage(key: string, { subpackage, owner }: OwnedSubpackage): TreePackage {
  const { folder, tree, root } = owner;
  const errors = subpackage.errors.map((one) => ({ ...one, package: key }));
  return { definition: subpackage, key, folder, tree, root, errors, cutFrom: owner };
}
