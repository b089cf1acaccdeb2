/** Which part of a version to increase: the rebuild counter (`+N`), or a part of a semantic version. */
export type Bump = 'rebuild' | 'major' | 'minor' | 'patch';

/** A semantic version with an optional `v` before it and optional pre-release and build metadata after it. */
const SEMANTIC =
  /^(v?)(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:[.+][0-9A-Za-z-]+)*)?$/;

const next = (number: string): string => String(BigInt(number) + 1n);

/**
 * Increases a version: `1.2` → `1.2+1` → `1.2+2` for a rebuild; otherwise by the rules of semver, where the
 * first release after `1.2.0-rc1` is `1.2.0`. Returns an error message if the version is empty or not
 * semantic.
 */
export function nextVersion(version: string, bump: Bump): string | { readonly error: string } {
  if (version === '') return { error: 'the package has no version to increase' };
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
    // Removing the pre-release part is enough if the step to the release is as large as the requested one.
    const released = bump === 'patch' || (patch === '0' && (bump === 'minor' || minor === '0'));
    if (released) return `${v}${major}.${minor}.${patch}`;
  }
  if (bump === 'major') return `${v}${next(major)}.0.0`;
  if (bump === 'minor') return `${v}${major}.${next(minor)}.0`;
  return `${v}${major}.${minor}.${next(patch)}`;
}
