/**
 * Versions and selectors: order two versions; does a selector admit a version; do two selectors meet. The
 * order is Debian's with the additions that Luet trees need, and it is total over any texts.
 */

export { type Bump, nextVersion } from './next.ts';
export { admits, formatSelector, meets, parseSelector, type Relation, type Selector } from './selector.ts';
export {
  compareVersions,
  isVersion,
  parseVersion,
  unseenIn,
  type Version,
  versionKey,
  versionProblem,
} from './version.ts';
