import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Diagnostic, Place } from '../diagnostic/index.ts';
import {
  type BuildSpec,
  formatPackage,
  type PackageId,
  plainSource,
  readBuild,
  readCollection,
  readDefinition,
  readYaml,
  type YamlNode,
} from '../spec/index.ts';
import { reason } from './files.ts';
import type { TreePackage } from './types.ts';

/** A package and its new version. */
export interface Bumped {
  readonly package: TreePackage;
  readonly from: string;
  readonly to: string;
}

/** A file that contains versions to change. */
export interface BumpedFile {
  /** Absolute path. */
  readonly path: string;
  /** The path as shown to users. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly packages: readonly Bumped[];
}

/** A problem of a package whose version cannot be changed. */
export function bumpProblem(pack: TreePackage, code: string, message: string, hint?: string): Diagnostic {
  const { place } = pack.definition;
  return { code, severity: 'error', message, package: pack.key, place, ...(hint !== undefined && { hint }) };
}

/** Replaces the versions of packages in the text of the file that defines them. Does not write the file. */
export async function editVersions(
  path: string,
  packages: readonly Bumped[],
): Promise<BumpedFile | { readonly problems: readonly Diagnostic[] }> {
  const [first] = packages;
  if (first === undefined) throw new RangeError('no package to edit');
  const { file } = first.package.definition.place;
  let before: string;
  try {
    before = readFileSync(path, 'utf8');
  } catch (error) {
    return {
      problems: [bumpProblem(first.package, 'unreadable', `cannot read its definition: ${reason(error)}`)],
    };
  }
  const mark = before.startsWith('\ufeff') ? '\ufeff' : '';
  const text = before.slice(mark.length);
  const isBuild = basename(path) === 'build.yaml';
  if (isBuild && text.includes('{{')) {
    const message = `${file} is a template; versions of subpackages cannot be edited in templates`;
    return { problems: packages.map((one) => bumpProblem(one.package, 'version-not-plain', message)) };
  }
  const source = plainSource(file, text);
  const nodes = nodesOf((await readYaml(source)).root, isBuild ? 'subpackages' : 'packages');
  const problems: Diagnostic[] = [];
  /** Replacement texts, by start offset. */
  const changes = new Map<number, { readonly end: number; readonly text: string }>();
  for (const one of packages) {
    const { place } = one.package.definition;
    const node = nodes.find(({ start }) => isAt(source.place(start), place));
    const span = versionSpan(node, text);
    if (span === undefined) {
      problems.push(
        bumpProblem(
          one.package,
          'version-not-plain',
          'its version is not a plain or quoted word, so it cannot be edited',
        ),
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

/**
 * Offsets of a package's version without quotes. Undefined if it is written in a form that cannot be edited.
 */
function versionSpan(
  node: YamlNode | undefined,
  text: string,
): readonly [start: number, end: number] | undefined {
  const version = node?.kind === 'mapping' ? node.pairs.get('version')?.value : undefined;
  if (version?.kind !== 'scalar' || version.end < version.start || version.text === '') return undefined;
  const quoted = /^["']/.test(text.slice(version.start, version.end)) ? 1 : 0;
  const span = [version.start + quoted, version.end - quoted] as const;
  // A quoted version with escapes is not edited.
  return text.slice(...span) === version.text ? span : undefined;
}

/** The nodes of packages: the definition itself, or the items of a collection or of `subpackages`. */
function nodesOf(root: YamlNode | undefined, key: string): readonly YamlNode[] {
  if (root?.kind !== 'mapping') return [];
  const list = root.pairs.get(key)?.value;
  return [root, ...(list?.kind === 'sequence' ? list.items : [])];
}

/** Parses the edited text, and finds packages whose version changed unintentionally. */
async function unexpected(
  file: string,
  before: string,
  after: string,
  packages: readonly Bumped[],
): Promise<readonly Diagnostic[]> {
  const [old, fresh] = [await definedIn(file, before), await definedIn(file, after)];
  const versions = new Map(packages.map(({ package: { key }, to }) => [key, to]));
  return packages.flatMap(({ package: pack }) => {
    const at = old.findIndex((one) => formatPackage(one) === pack.key);
    const others = old.flatMap((one, i) => {
      const wanted = versions.get(formatPackage(one)) ?? one.version;
      return fresh[i]?.version === wanted && fresh[i]?.name === one.name ? [] : [formatPackage(one)];
    });
    if (at >= 0 && others.length === 0) return [];
    const message = `its version is shared with ${others.join(', ')}, so changing it would change those too`;
    return [
      bumpProblem(
        pack,
        'shared-version',
        message,
        'Write the version of each package without alias or merge key',
      ),
    ];
  });
}

/** The packages that a file defines. For a build spec, all its other content is added as one more item. */
async function definedIn(file: string, text: string): Promise<readonly PackageId[]> {
  const source = plainSource(file, text);
  const name = basename(file);
  if (name === 'collection.yaml') return (await readCollection(source)).definitions;
  if (name !== 'build.yaml') return (await readDefinition(source)).definitions;
  const { spec } = await readBuild(source);
  if (spec === undefined) return [];
  return [...spec.subpackages, { name: 'build spec', category: '', version: otherThan(spec) }];
}

/** Everything in a build spec except subpackages, as one text. */
function otherThan({ subpackages: _, ...rest }: BuildSpec): string {
  return JSON.stringify(rest, (key, value: unknown) =>
    key === 'place' || key === 'notes' ? undefined : value,
  );
}
