import type { MetadataBuild, MetadataForm, MetadataLink, MetadataPackage } from '../artifact/index.ts';
import type { Definition, PackageRef } from '../spec/index.ts';
import { buildProvides, type TreePackage } from '../tree/index.ts';

const form = ({ name, category, selector }: PackageRef): MetadataForm => ({ name, category, selector });

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

/** A package, or a subpackage, as clients solve and install it. */
export function runtimeOf(definition: Definition): MetadataPackage {
  return packageOf(definition, definition.requires, definition.conflicts, definition.provides);
}

function buildtimeOf(pack: TreePackage): MetadataPackage {
  return packageOf(
    pack.definition,
    pack.build?.requires ?? [],
    pack.build?.conflicts ?? [],
    buildProvides(pack),
  );
}

/** How a package was built. `seed` is the image that it ran on; `links` the images of its closure, itself last. */
export function buildOf(
  pack: TreePackage,
  seed: string,
  links: readonly { readonly package: TreePackage; readonly parent: string; readonly key: string }[],
): MetadataBuild {
  const { build } = pack;
  const texts = (list: readonly { readonly value: string }[] | undefined): string[] =>
    (list ?? []).map(({ value }) => value);
  return {
    package: buildtimeOf(pack),
    image: build?.image?.value ?? '',
    seed,
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
    closure: links.map(
      ({ package: one, parent, key }): MetadataLink => ({
        package: buildtimeOf(one),
        buildHash: parent,
        packageHash: key,
      }),
    ),
  };
}
