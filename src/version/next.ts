/** How a version goes on: as a rebuild of the same upstream version, or by a part of a semantic version. */
export type Bump = 'rebuild' | 'major' | 'minor' | 'patch';

/** Major, minor and patch, with what may stand before and behind them. */
const SEMANTIC =
  /^(v?)(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:[.+][0-9A-Za-z-]+)*)?$/;

const next = (number: string): string => String(BigInt(number) + 1n);

/**
 * The version after another: `1.2` → `1.2+1` → `1.2+2` for a rebuild; for a part of a semantic version as semver
 * counts, where the first release after `1.2.0-rc1` is `1.2.0`. A sentence about the version where it has no such next one.
 */
export function nextVersion(version: string, bump: Bump): string | { readonly error: string } {
  if (version === '') return { error: 'there is no version to go on from' };
  if (bump === 'rebuild') {
    const [, upstream = version, count = '0'] = /^(.+)\+(\d+)$/.exec(version) ?? [];
    return `${upstream}+${next(count)}`;
  }
  const parts = SEMANTIC.exec(version);
  if (parts === null) {
    return { error: `the version ${JSON.stringify(version)} is not semantic: expected MAJOR.MINOR.PATCH` };
  }
  const [, v = '', major = '0', minor = '0', patch = '0', before] = parts;
  if (before !== undefined) {
    // What comes before a release is released, where that is as large a step as the one that is asked for.
    const released = bump === 'patch' || (patch === '0' && (bump === 'minor' || minor === '0'));
    if (released) return `${v}${major}.${minor}.${patch}`;
  }
  if (bump === 'major') return `${v}${next(major)}.0.0`;
  if (bump === 'minor') return `${v}${major}.${next(minor)}.0`;
  return `${v}${major}.${minor}.${next(patch)}`;
}
