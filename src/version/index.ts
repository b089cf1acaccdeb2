/**
 * Versions and version selectors, compared as Debian compares them, with additions for Luet trees (`_` counts
 * as `-`, a leading `v` is ignored). Example: `1.0~rc1` is older than `1.0`, and the selector `>=1.0` admits
 * `1.0+2`.
 *
 * Every text has a place in the order, so sorting never fails; `versionProblem` says whether a text is a
 * valid version. This room does not know what packages are.
 */

export { type Bump, nextVersion } from './next.ts';
export {
  admits,
  formatSelector,
  intersects,
  parseSelector,
  type Relation,
  type Selector,
} from './selector.ts';
export {
  compareVersions,
  invisibleCharacterProblem,
  isVersion,
  parseVersion,
  type Version,
  versionKey,
  versionProblem,
} from './version.ts';
