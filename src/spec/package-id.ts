import type { PackageId } from './types.ts';

/** `category/name`, or only the name if there is no category. Requirements refer to packages by this name. */
export function packageName(id: Pick<PackageId, 'name' | 'category'>): string {
  return id.category === '' ? id.name : `${id.category}/${id.name}`;
}

/** `category/name-version` for people. The parts that are empty are left out, with their separators. */
export function formatPackage(id: PackageId): string {
  return id.version === '' ? packageName(id) : `${packageName(id)}-${id.version}`;
}

/**
 * `name-category-version`, as used in file names. Empty parts keep their dashes, as in Luet's file names:
 * `name--version` without a category.
 */
export function fingerprint(id: PackageId): string {
  return `${id.name}-${id.category}-${id.version}`;
}
