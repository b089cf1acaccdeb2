import { chmodSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Diagnostic } from '../diagnostic/index.ts';
import { replaceBy, stageFile, writing } from '../disk/index.ts';
import { formatPackage, packageName } from '../spec/index.ts';
import { type Bump, nextVersion, versionProblem } from '../version/index.ts';
import { type Bumped, type BumpedFile, bumpProblem, editVersions } from './bump-edit.ts';
import type { Tree, TreePackage } from './types.ts';

export type { Bumped, BumpedFile } from './bump-edit.ts';

/** New versions of packages, and the files in which they stand. */
export interface BumpedVersions {
  readonly files: readonly BumpedFile[];
  /** Subpackages that get another version because a template makes it of that of the package that they are cut from. */
  readonly following: readonly Bumped[];
  /** Subpackages of packages that get another version, which keep their own. */
  readonly kept: readonly TreePackage[];
  readonly problems: readonly Diagnostic[];
}

/** How a version is to change. */
export type VersionChange = Bump | { readonly version: string };

/**
 * Works out new versions for packages and subpackages: the next one, or a given one. Of the files nothing but the text of the
 * versions changes. Nothing is written; where there are problems, nothing should be.
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

/** Whether a package is a subpackage with a version that a template makes of that of the package that it is cut from. */
export async function followsOwner(tree: Tree, pack: TreePackage): Promise<boolean> {
  const { cutFrom } = pack;
  if (cutFrom === undefined) return false;
  const probe = `${cutFrom.definition.version}+1`;
  const found = await withOwner(tree, cutFrom, probe);
  return found.some(({ package: one, to }) => one === pack && to !== one.definition.version);
}

/** What becomes of the subpackages of packages that get other versions. */
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

/** The versions of a package's subpackages where the package itself has another version. */
async function withOwner(tree: Tree, owner: TreePackage, version: string): Promise<readonly Bumped[]> {
  const now = owner.build?.subpackages ?? [];
  if (now.length === 0) return [];
  const { spec } = (await tree.withVersion(owner, version)) ?? {};
  return now.flatMap((subpackage, at) => {
    const pack = tree.runtime.byKey(formatPackage(subpackage));
    if (pack?.cutFrom !== owner) return [];
    // A template may well leave it out, or give it another name: then it does not follow.
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
    `its version is made of that of ${name}, which it is cut from${becomes}`,
    `Name ${name} instead`,
  );
}

function checked(version: string): string | { readonly error: string } {
  const wrong = versionProblem(version);
  return wrong === undefined ? version : { error: `invalid version ${JSON.stringify(version)}: it ${wrong}` };
}

/** The file that a package's version stands in; of a subpackage, its owner's build spec. */
const fileOf = ({ folder, definition, cutFrom }: TreePackage): string =>
  `${folder}/${cutFrom === undefined ? basename(definition.place.file) : 'build.yaml'}`;

/** New versions that other packages have, or get as well. */
function taken(tree: Tree, bumped: readonly Bumped[]): Diagnostic[] {
  const leaving = new Set(bumped.map(({ package: { key } }) => key));
  const arrived = new Set<string>();
  return bumped.flatMap(({ package: pack, to }) => {
    const key = formatPackage({ ...pack.definition, version: to });
    const other = tree.runtime.byKey(key);
    const free = (other === undefined || leaving.has(key)) && !arrived.has(key);
    arrived.add(key);
    return free ? [] : [bumpProblem(pack, 'duplicate-package', `${key} is there already`)];
  });
}

/**
 * Writes what `bumpVersions` worked out. A file is replaced whole and keeps its mode, and a link to it stays one. No file changes before all can be
 * written. `mark` is part of the temporary names, and different for each run. Rejects with a `FileError`.
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
