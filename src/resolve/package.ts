import type { CutSpec } from '../delta/index.ts';
import { fingerprint, formatPackage, type Subpackage } from '../spec/index.ts';
import { fromText } from '../tar/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { buildtimeOf, runtimeOf, specOf } from './metadata.ts';
import type { OutputSpec, ResolvedPackage } from './types.ts';

/** A package of a tree as plain data. `find` returns packages of the tree by key. */
export function resolvedPackage(
  pack: TreePackage,
  find: (key: string) => TreePackage | undefined,
): ResolvedPackage {
  const { definition, build, key, folder } = pack;
  return {
    key,
    fingerprint: fingerprint(definition),
    place: definition.place,
    buildPlace: build?.place ?? definition.place,
    folder,
    hasBuild: build !== undefined,
    prelude: build?.prelude ?? [],
    steps: build?.steps ?? [],
    env: build?.env ?? [],
    retrieve: build?.retrieve ?? [],
    ...(build?.packageDir === undefined ? {} : { packageDirPlace: build.packageDir.place }),
    packageDir: build?.packageDir?.value ?? '',
    buildtime: buildtimeOf(pack),
    spec: specOf(pack),
    outputs: outputsOf(pack, find),
  };
}

/** The outputs of a package: itself, then its subpackages. */
function outputsOf(pack: TreePackage, find: (key: string) => TreePackage | undefined): OutputSpec[] {
  const main = cutSpecOf(pack);
  const own: OutputSpec = {
    name: pack.key,
    fingerprint: fingerprint(pack.definition),
    cut: main,
    runtime: runtimeOf(pack.definition),
  };
  const subpackages = (pack.build?.subpackages ?? []).map((sub): OutputSpec => {
    const name = formatPackage(sub);
    return {
      name,
      fingerprint: fingerprint(sub),
      cut: subpackageCut(main, sub),
      // If the tree also defines the subpackage as a package, that definition is used.
      runtime: runtimeOf(find(name)?.definition ?? sub),
    };
  });
  return [own, ...subpackages];
}

const texts = (list: readonly { readonly value: string }[] | undefined): string[] =>
  (list ?? []).map(({ value }) => value);

/** Normalizes a path inside an image; `..` at the root is ignored. */
function inside(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function cutSpecOf({ build, dockerfile }: TreePackage): CutSpec {
  const expressions = { includes: texts(build?.includes), excludes: texts(build?.excludes) };
  const folder = build?.packageDir === undefined ? '' : fromText(inside(build.packageDir.value));
  if (folder !== '') return { kind: 'directory', folder, ...expressions };
  if (build?.unpack || build?.packageDir !== undefined) return { kind: 'unpack', folder, ...expressions };
  const adds = (build?.steps.length ?? 0) > 0 || dockerfile !== undefined;
  return { kind: adds ? 'delta' : 'empty', folder, ...expressions };
}

/** A subpackage contains the files of the finished package that its own filters keep. */
function subpackageCut(main: CutSpec, { includes, excludes }: Subpackage): CutSpec {
  return { ...main, within: { includes: texts(includes), excludes: texts(excludes) } };
}
