import type { PackageRef, Subpackage } from '../spec/index.ts';
import type { TreePackage } from './types.ts';
import { buildProvides } from './views.ts';

/** A package form with the key names of spec files. */
interface PrintedForm {
  readonly name: string;
  readonly category: string;
  readonly version: string;
}

/** A rendered build spec as data to print, with the key names of `build.yaml`. */
export interface RenderedSpec extends PrintedForm {
  readonly image?: string;
  readonly requires: readonly PrintedForm[];
  readonly requires_final_images: boolean;
  readonly conflicts: readonly PrintedForm[];
  /** From `build.yaml` or, if it has none, from the definition. */
  readonly provides: readonly PrintedForm[];
  readonly env: readonly string[];
  readonly prelude: readonly string[];
  readonly steps: readonly string[];
  readonly copy: readonly {
    readonly package?: PrintedForm;
    readonly image?: string;
    readonly source: string;
    readonly destination: string;
  }[];
  readonly unpack: boolean;
  readonly package_dir?: string;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  readonly subpackages: readonly (PrintedForm & {
    readonly includes: readonly string[];
    readonly excludes: readonly string[];
  })[];
  readonly retrieve: readonly string[];
}

const form = ({ name, category, selector }: PackageRef): PrintedForm => ({
  name,
  category,
  version: selector,
});

const plain = (items: readonly { readonly value: string }[]): string[] => items.map(({ value }) => value);

function subpackage({ name, category, version, includes, excludes }: Subpackage) {
  return { name, category, version, includes: plain(includes), excludes: plain(excludes) };
}

/** A package's build spec as data to print. Undefined if it has none that could be read. */
export function renderedSpec(pack: TreePackage): RenderedSpec | undefined {
  const { build, definition } = pack;
  if (build === undefined) return undefined;
  return {
    name: definition.name,
    category: definition.category,
    version: definition.version,
    ...(build.image !== undefined && { image: build.image.value }),
    requires: build.requires.map(form),
    requires_final_images: build.requiresFinalImages,
    conflicts: build.conflicts.map(form),
    provides: buildProvides(pack).map(form),
    env: plain(build.env),
    prelude: plain(build.prelude),
    steps: plain(build.steps),
    copy: build.copy.map(({ package: from, image, source, destination }) => ({
      ...(from !== undefined && { package: form(from) }),
      ...(image !== undefined && { image }),
      source,
      destination,
    })),
    unpack: build.unpack,
    ...(build.packageDir !== undefined && { package_dir: build.packageDir.value }),
    includes: plain(build.includes),
    excludes: plain(build.excludes),
    subpackages: build.subpackages.map(subpackage),
    retrieve: plain(build.retrieve),
  };
}
