import type { MetadataBuild, MetadataPackage } from '../artifact/index.ts';
import { artifactHash } from '../plan/index.ts';
import { fingerprint, formatPackage, type Subpackage } from '../spec/index.ts';
import { fromText } from '../tar/index.ts';
import type { TreePackage } from '../tree/index.ts';
import type { CutSpec } from './cut.ts';
import { buildOf, runtimeOf } from './metadata.ts';

/** One package file to write: the package itself or one of its subpackages. */
export interface Product {
  /** `category/name-version`. */
  readonly name: string;
  readonly fingerprint: string;
  readonly cut: CutSpec;
  readonly runtime: MetadataPackage;
  readonly build: MetadataBuild;
  /** Key of the image that it is cut from. */
  readonly key: string;
  /** Hash of everything that decides its files and metadata. */
  readonly hash: string;
  /** No time in it is later, in seconds since 1970. */
  readonly latest: number;
}

/** One image of the chain that a package stands on. */
export interface Link {
  readonly package: TreePackage;
  /** Keys of what it ran on and of what that gave. */
  readonly parent: string;
  readonly key: string;
}

/** Where a package comes from. */
export interface Origin {
  /** Key of its image. */
  readonly key: string;
  /** No time in it is later, in seconds since 1970. */
  readonly latest: number;
  /** What its image was made on, for the metadata. */
  readonly seed: string;
  readonly links: readonly Link[];
}

/** What is written of a package: itself, then its subpackages. `find` knows the tree's packages by their keys. */
export function productsOf(
  pack: TreePackage,
  { key, latest, seed, links }: Origin,
  find: (key: string) => TreePackage | undefined,
): readonly Product[] {
  const build = buildOf(pack, seed, links);
  const product = (
    name: string,
    print: string,
    cut: CutSpec,
    runtime: MetadataPackage,
    build: MetadataBuild,
  ): Product => {
    const { kind, folder: packageDir, includes, excludes, within = null } = cut;
    const metadata = JSON.stringify([runtime, build], (_, value: unknown) =>
      value instanceof Map ? [...value] : value,
    );
    const hash = artifactHash({
      fingerprint: print,
      key,
      kind,
      packageDir,
      includes,
      excludes,
      within,
      latest,
      metadata,
    });
    return { name, fingerprint: print, cut, runtime, build, key, latest, hash };
  };
  const main = cutSpecOf(pack);
  const subpackages = (pack.build?.subpackages ?? []).map((sub) => {
    const runtime = runtimeOf(find(formatPackage(sub))?.definition ?? sub);
    // Luet's create-repo takes the package's name from how it was built.
    const built = { ...build, package: runtime };
    return product(formatPackage(sub), fingerprint(sub), subpackageCut(main, sub), runtime, built);
  });
  const runtime = runtimeOf(pack.definition);
  return [product(pack.key, fingerprint(pack.definition), main, runtime, build), ...subpackages];
}

const texts = (list: readonly { readonly value: string }[] | undefined): string[] =>
  (list ?? []).map(({ value }) => value);

/** A path inside an image without what leads nowhere in it; what leads upwards ends at the root. */
function inside(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function cutSpecOf({ build }: TreePackage): CutSpec {
  const expressions = { includes: texts(build?.includes), excludes: texts(build?.excludes) };
  const folder = build?.packageDir === undefined ? '' : fromText(inside(build.packageDir.value));
  if (folder !== '') return { kind: 'directory', folder, ...expressions };
  if (build?.unpack || build?.packageDir !== undefined) return { kind: 'unpack', folder, ...expressions };
  return { kind: (build?.steps.length ?? 0) > 0 ? 'delta' : 'empty', folder, ...expressions };
}

/** A subpackage is what its own expressions keep of the finished package. */
function subpackageCut(main: CutSpec, { includes, excludes }: Subpackage): CutSpec {
  return { ...main, within: { includes: texts(includes), excludes: texts(excludes) } };
}
