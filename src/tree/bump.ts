import { chmodSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Diagnostic } from '../diagnostic/index.ts';
import { replaceBy, stageFile, writing } from '../disk/index.ts';
import { formatPackage, packageName } from '../spec/index.ts';
import { type Bump, nextVersion, versionProblem } from '../version/index.ts';
import { type Bumped, type BumpedFile, bumpProblem, editVersions } from './bump-edit.ts';
import type { Tree, TreePackage } from './types.ts';

export type { Bumped, BumpedFile } from './bump-edit.ts';

/** New versions of packages, and the files that contain them. */
export interface BumpedVersions {
  readonly files: readonly BumpedFile[];
  /**
   * Subpackages whose version changes too, because a template computes it from their main package's version.
   */
  readonly following: readonly Bumped[];
  /** Subpackages of changed packages whose own version does not change. */
  readonly kept: readonly TreePackage[];
  readonly problems: readonly Diagnostic[];
}

/** The new version: the next one of a kind, or a given one. */
export type VersionChange = Bump | { readonly version: string };

/**
 * Computes new versions of packages and subpackages. In the files, only the text of versions changes. Writes
 * nothing; if there are problems, the caller must not write the files either.
 */
export async function bumpVersions(
  tree: Tree,
  wanted: ReadonlyMap<TreePackage, VersionChange>,
): Promise<BumpedVersions> {
  const problems: Diagnostic[] = [];
  const bumped = new Map<TreePackage, Bumped>();
  for (const [pack, how] of wanted) {
    const from = pack.definition.version;
    const to = typeof how === 'string' ? await nextVersion(from, how) : checked(how.version);
    if (typeof to !== 'string') problems.push(bumpProblem(pack, 'no-next-version', to.error));
    else bumped.set(pack, { package: pack, from, to });
  }
  const { following, kept } = await subpackagesOf(tree, [...bumped.values()]);
  const isFollowing = new Set(following.map((one) => one.package));
  const edits: Bumped[] = [];
  for (const one of bumped.values()) {
    const { package: pack, to } = one;
    if (isFollowing.has(pack)) {
      const other = following.find((follower) => follower.package === pack)?.to ?? '';
      if (wanted.get(pack) !== 'rebuild' && other !== to)
        problems.push(follows(pack, `, and becomes ${other}`));
    } else if (await followsOwner(tree, pack)) problems.push(follows(pack));
    else edits.push(one);
  }
  problems.push(...taken(tree, [...edits, ...following]));
  const files: BumpedFile[] = [];
  for (const [path, packages] of Map.groupBy(edits, ({ package: pack }) => fileOf(pack))) {
    const edited = await editVersions(path, packages);
    if ('problems' in edited) problems.push(...edited.problems);
    else files.push(edited);
  }
  return { files, following, kept: kept.filter((pack) => !bumped.has(pack)), problems };
}

/** Whether a package is a subpackage whose version a template computes from its main package's version. */
export async function followsOwner(tree: Tree, pack: TreePackage): Promise<boolean> {
  const { cutFrom } = pack;
  if (cutFrom === undefined) return false;
  const probe = `${cutFrom.definition.version}+1`;
  const found = await withOwner(tree, cutFrom, probe);
  return found.some(({ package: one, to }) => one === pack && to !== one.definition.version);
}

/** Finds out how the subpackages of changed packages are affected. */
async function subpackagesOf(
  tree: Tree,
  bumped: readonly Bumped[],
): Promise<Pick<BumpedVersions, 'following' | 'kept'>> {
  const following: Bumped[] = [];
  const kept: TreePackage[] = [];
  for (const { package: owner, to } of bumped)
    for (const one of await withOwner(tree, owner, to))
      if (one.to === one.from) kept.push(one.package);
      else following.push(one);
  return { following, kept };
}

/** The subpackages and their versions if the main package had another version. */
async function withOwner(tree: Tree, owner: TreePackage, version: string): Promise<readonly Bumped[]> {
  const now = owner.build?.subpackages ?? [];
  if (now.length === 0) return [];
  const { spec } = (await tree.withVersion(owner, version)) ?? {};
  return now.flatMap((subpackage, at) => {
    const pack = tree.runtime.byKey(formatPackage(subpackage));
    if (pack?.cutFrom !== owner) return [];
    // The template may leave the subpackage out or rename it; then its version does not follow.
    const other = spec?.subpackages[at];
    const isSame = other !== undefined && packageName(other) === packageName(subpackage);
    const from = subpackage.version;
    return [{ package: pack, from, to: isSame ? other.version : from }];
  });
}

function follows(pack: TreePackage, becomes = ''): Diagnostic {
  const owner = pack.cutFrom?.definition;
  const name = owner === undefined ? '' : packageName(owner);
  return bumpProblem(
    pack,
    'version-not-plain',
    `its version is computed from that of ${name}, which it is cut from${becomes}`,
    `Name ${name} instead`,
  );
}

function checked(version: string): string | { readonly error: string } {
  const wrong = versionProblem(version);
  return wrong === undefined ? version : { error: `invalid version ${JSON.stringify(version)}: it ${wrong}` };
}

/** The file that contains a package's version; for a subpackage, its main package's build spec. */
const fileOf = ({ folder, definition, cutFrom }: TreePackage): string =>
  `${folder}/${cutFrom === undefined ? basename(definition.place.file) : 'build.yaml'}`;

/** Reports new versions that another package already has or gets. */
function taken(tree: Tree, bumped: readonly Bumped[]): Diagnostic[] {
  const leaving = new Set(bumped.map(({ package: { key } }) => key));
  const arrived = new Set<string>();
  return bumped.flatMap(({ package: pack, to }) => {
    const key = formatPackage({ ...pack.definition, version: to });
    const other = tree.runtime.byKey(key);
    const free = (other === undefined || leaving.has(key)) && !arrived.has(key);
    arrived.add(key);
    return free ? [] : [bumpProblem(pack, 'duplicate-package', `${key} already exists`)];
  });
}

/**
 * Writes the files of `bumpVersions`. Each file is replaced as a whole, and keeps its mode; a symbolic link
 * stays a link. No file changes unless all new files could be written. `mark` is part of the temporary names,
 * and must be different for each run. Rejects with a `FileError`.
 */
export async function writeBumped(files: readonly BumpedFile[], mark: string): Promise<void> {
  const staged: { readonly real: string; readonly temporary: string }[] = [];
  try {
    for (const { path, after } of files) {
      const real = writing(path, () => realpathSync(path));
      const temporary = `${real}.bump-${mark}`;
      staged.push({ real, temporary });
      await stageFile(temporary, () => [Buffer.from(after)], { place: path });
      writing(path, () => chmodSync(temporary, statSync(real).mode & 0o7777));
    }
    for (const { real, temporary } of staged) await replaceBy(temporary, real);
  } catch (error) {
    for (const { temporary } of staged) rmSync(temporary, { force: true });
    throw error;
  }
}
