import type { PackageId } from './types.ts';

/** `category/name`, or the name alone where there is no category: what a requirement is matched by. */
export function packageName(id: Pick<PackageId, 'name' | 'category'>): string {
  return id.category === '' ? id.name : `${id.category}/${id.name}`;
}

/** `category/name-version`, as people write it. Without a category `name-version`, without a version no `-`. */
export function formatPackage(id: PackageId): string {
  return id.version === '' ? packageName(id) : `${packageName(id)}-${id.version}`;
}

/**
 * `name-category-version`, as files are named. What is absent leaves its place empty, as in Luet's file names:
 * `name--version` without a category.
 */
export function fingerprint(id: PackageId): string {
  return `${id.name}-${id.category}-${id.version}`;
}
