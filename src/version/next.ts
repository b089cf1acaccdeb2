/** Which part of a version to increase: the rebuild counter (`+N`), or a part of a semantic version. */
export type Bump = 'rebuild' | 'major' | 'minor' | 'patch';

/**
 * Increases a version: `1.2` → `1.2+1` → `1.2+2` for a rebuild; otherwise by the rules of semver, where the
 * first release after `1.2.0-rc1` is `1.2.0`. Answers an error message if the version is empty or not semantic.
 */
export async function nextVersion(version: string, bump: Bump): Promise<string | { readonly error: string }> {
  if (version === '') return { error: 'the package has no version to increase' };
  if (bump === 'rebuild') {
    const [, upstream = version, count = '0'] = /^(.+)\+(\d+)$/.exec(version) ?? [];
    return `${upstream}+${BigInt(count) + 1n}`;
  }
  const { default: increase } = await import('semver/functions/inc.js');
  // A rebuild counter behind build metadata (`1.19.4+k3s1+1`) is a second `+`, which semver does not have.
  const [release = '', ...build] = version.split('+');
  const semantic = build.length === 0 ? release : `${release}+${build.join('.')}`;
  // semver also takes blanks around a version.
  const next = /\s/.test(version) ? null : increase(semantic, bump);
  if (next === null)
    return { error: `the version ${JSON.stringify(version)} is not semantic: expected MAJOR.MINOR.PATCH` };
  return version.startsWith('v') ? `v${next}` : next;
}
