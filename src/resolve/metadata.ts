import type { MetadataBuild, MetadataForm, MetadataPackage } from '../artifact/index.ts';
import type { Definition, PackageRef } from '../spec/index.ts';
import { buildProvides, type TreePackage } from '../tree/index.ts';

const form = ({ name, category, selector }: PackageRef): MetadataForm => ({ name, category, selector });

const texts = (list: readonly { readonly value: string }[] | undefined): string[] =>
  (list ?? []).map(({ value }) => value);

function packageOf(
  definition: Definition,
  requires: readonly PackageRef[],
  conflicts: readonly PackageRef[],
  provides: readonly PackageRef[],
): MetadataPackage {
  const { name, category, version, description, license, uri, hidden, labels, annotations, useFlags } =
    definition;
  return {
    name,
    category,
    version,
    description,
    license,
    uri,
    hidden,
    labels,
    annotations,
    useFlags,
    requires: requires.map(form),
    conflicts: conflicts.map(form),
    provides: provides.map(form),
  };
}

/** A package or subpackage, as clients solve and install it. */
export function runtimeOf(definition: Definition): MetadataPackage {
  return packageOf(definition, definition.requires, definition.conflicts, definition.provides);
}

/** A package as seen in the build-time view. */
export function buildtimeOf(pack: TreePackage): MetadataPackage {
  return packageOf(
    pack.definition,
    pack.build?.requires ?? [],
    pack.build?.conflicts ?? [],
    buildProvides(pack),
  );
}

/** A package's rendered build spec, without the parts that depend on keys. */
export function specOf({ build }: TreePackage): Omit<MetadataBuild, 'package' | 'seed' | 'closure'> {
  return {
    image: build?.image?.value ?? '',
    prelude: texts(build?.prelude),
    steps: texts(build?.steps),
    env: texts(build?.env),
    copy: (build?.copy ?? []).map(({ package: source, image, source: from, destination }) => ({
      ...(source === undefined ? {} : { package: form(source) }),
      ...(image === undefined ? {} : { image }),
      source: from,
      destination,
    })),
    packageDir: build?.packageDir?.value ?? '',
    retrieve: texts(build?.retrieve),
    unpack: build?.unpack ?? false,
    includes: texts(build?.includes),
    excludes: texts(build?.excludes),
    requiresFinalImages: build?.requiresFinalImages ?? false,
  };
}
