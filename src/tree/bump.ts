import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Diagnostic, Place } from '../diagnostic/index.ts';
import {
  formatPackage,
  plainSource,
  readCollection,
  readDefinition,
  readYaml,
  type YamlNode,
} from '../spec/index.ts';
import { type Bump, nextVersion, versionProblem } from '../version/index.ts';
import { reason } from './files.ts';
import type { Tree, TreePackage } from './types.ts';

/** A package that gets another version. */
export interface Bumped {
  readonly package: TreePackage;
  readonly from: string;
  readonly to: string;
}

/** A file in which versions change. */
export interface BumpedFile {
  /** Absolute. */
  readonly path: string;
  /** The path as it is shown. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly packages: readonly Bumped[];
}

/**
 * Works out new versions for packages: the next one, or a given one. Of the files nothing but the text of the versions
 * changes. Nothing is written; where there are problems, nothing should be.
 */
export async function bumpVersions(
  tree: Tree,
  wanted: ReadonlyMap<TreePackage, Bump | { readonly version: string }>,
): Promise<{ readonly files: readonly BumpedFile[]; readonly problems: readonly Diagnostic[] }> {
  const problems: Diagnostic[] = [];
  const bumped: Bumped[] = [];
  for (const [pack, how] of wanted) {
    const from = pack.definition.version;
    const to = typeof how === 'string' ? nextVersion(from, how) : checked(how.version);
    if (typeof to !== 'string') problems.push(problem(pack, 'no-next-version', to.error));
    else bumped.push({ package: pack, from, to });
  }
  problems.push(...taken(tree, bumped));
  const files: BumpedFile[] = [];
  for (const [path, packages] of Map.groupBy(bumped, ({ package: pack }) => fileOf(pack))) {
    const edited = await edit(path, packages);
    if ('problems' in edited) problems.push(...edited.problems);
    else files.push(edited);
  }
  return { files, problems };
}

function checked(version: string): string | { readonly error: string } {
  const wrong = versionProblem(version);
  return wrong === undefined ? version : { error: `the version ${JSON.stringify(version)} ${wrong}` };
}

const fileOf = ({ folder, definition }: TreePackage): string =>
  `${folder}/${basename(definition.place.file)}`;

function problem(pack: TreePackage, code: string, message: string, hint?: string): Diagnostic {
  const { place } = pack.definition;
  return { code, severity: 'error', message, package: pack.key, place, ...(hint !== undefined && { hint }) };
}

/** New versions that other packages have, or get as well. */
function taken(tree: Tree, bumped: readonly Bumped[]): Diagnostic[] {
  const leaving = new Set(bumped.map(({ package: { key } }) => key));
  const arrived = new Set<string>();
  return bumped.flatMap(({ package: pack, to }) => {
    const key = formatPackage({ ...pack.definition, version: to });
    const other = tree.byKey(key);
    const free = (other === undefined || leaving.has(key)) && !arrived.has(key);
    arrived.add(key);
    return free ? [] : [problem(pack, 'duplicate-package', `${key} is there already`)];
  });
}

type Edited = BumpedFile | { readonly problems: readonly Diagnostic[] };

async function edit(path: string, packages: readonly Bumped[]): Promise<Edited> {
  const [first] = packages;
  if (first === undefined) throw new RangeError('no package to edit');
  const { file } = first.package.definition.place;
  let before: string;
  try {
    before = readFileSync(path, 'utf8');
  } catch (error) {
    return {
      problems: [problem(first.package, 'unreadable', `its definition cannot be read: ${reason(error)}`)],
    };
  }
  const mark = before.startsWith('\ufeff') ? '\ufeff' : '';
  const text = before.slice(mark.length);
  const source = plainSource(file, text);
  const nodes = nodesOf((await readYaml(source)).root);
  const problems: Diagnostic[] = [];
  /** New texts by the offsets that they are put between. */
  const changes = new Map<number, { readonly end: number; readonly text: string }>();
  for (const one of packages) {
    const { place } = one.package.definition;
    const node = nodes.find(({ start }) => isAt(source.place(start), place));
    const span = versionSpan(node, text);
    if (span === undefined) {
      problems.push(
        problem(one.package, 'version-not-plain', 'its version is not written as a word or in quotes'),
      );
      continue;
    }
    changes.set(span[0], { end: span[1], text: one.to });
  }
  if (problems.length > 0) return { problems };
  let edited = '';
  let at = 0;
  for (const [start, change] of [...changes].sort(([a], [b]) => a - b)) {
    edited += text.slice(at, start) + change.text;
    at = change.end;
  }
  edited += text.slice(at);
  const wrong = await unexpected(file, text, edited, packages);
  if (wrong.length > 0) return { problems: wrong };
  return { path, file, before, after: mark + edited, packages };
}

const isAt = (a: Place, b: Place): boolean => a.line === b.line && a.column === b.column;

/** Where the text of a package's version stands, without quotes; undefined where it is in a form that is not edited. */
function versionSpan(
  node: YamlNode | undefined,
  text: string,
): readonly [start: number, end: number] | undefined {
  const version = node?.kind === 'mapping' ? node.pairs.get('version')?.value : undefined;
  if (version?.kind !== 'scalar' || version.end < version.start || version.text === '') return undefined;
  const quoted = /^["']/.test(text.slice(version.start, version.end)) ? 1 : 0;
  const span = [version.start + quoted, version.end - quoted] as const;
  // Escapes in quotes are left to people.
  return text.slice(...span) === version.text ? span : undefined;
}

/** The nodes that are packages: a definition itself, or the items of a collection. */
function nodesOf(root: YamlNode | undefined): readonly YamlNode[] {
  if (root?.kind !== 'mapping') return [];
  const list = root.pairs.get('packages')?.value;
  return [root, ...(list?.kind === 'sequence' ? list.items : [])];
}

/** Reads what was edited, and finds packages that have another version than they should. */
async function unexpected(
  file: string,
  before: string,
  after: string,
  packages: readonly Bumped[],
): Promise<readonly Diagnostic[]> {
  const read = basename(file) === 'collection.yaml' ? readCollection : readDefinition;
  const old = (await read(plainSource(file, before))).definitions;
  const fresh = (await read(plainSource(file, after))).definitions;
  const versions = new Map(packages.map(({ package: { key }, to }) => [key, to]));
  return packages.flatMap(({ package: pack }) => {
    const at = old.findIndex((one) => formatPackage(one) === pack.key);
    const others = old.flatMap((one, i) => {
      const wanted = versions.get(formatPackage(one)) ?? one.version;
      return fresh[i]?.version === wanted && fresh[i]?.name === one.name ? [] : [formatPackage(one)];
    });
    if (at >= 0 && others.length === 0) return [];
    const message = `its version is shared in this file, so that changing it would change ${others.join(', ')}`;
    return [
      problem(pack, 'shared-version', message, 'Write the version out where it is an alias or merged in'),
    ];
  });
}

/** Writes what `bumpVersions` worked out: the file is replaced whole, and keeps its mode; a link to it stays one. */
export function writeBumped({ path, after }: BumpedFile): void {
  const real = realpathSync(path);
  const aside = `${real}.bump-${process.pid}`;
  try {
    writeFileSync(aside, after, { flag: 'wx' });
    chmodSync(aside, statSync(real).mode & 0o7777);
    renameSync(aside, real);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}
