import type { PackageRef, Subpackage } from '../spec/index.ts';
import type { TreePackage } from './types.ts';
import { buildProvides } from './views.ts';

/** A package form with the key names of the spec files. */
interface Form {
  readonly name: string;
  readonly category: string;
  readonly version: string;
}

/** A rendered build spec with the key names of `build.yaml`, as data to print. */
export interface RenderedSpec extends Form {
  readonly image?: string;
  readonly requires: readonly Form[];
  readonly requires_final_images: boolean;
  readonly conflicts: readonly Form[];
  /** Those of `build.yaml` or, where it has none, of the definition. */
  readonly provides: readonly Form[];
  readonly env: readonly string[];
  readonly prelude: readonly string[];
  readonly steps: readonly string[];
  readonly copy: readonly {
    readonly package?: Form;
    readonly image?: string;
    readonly source: string;
    readonly destination: string;
  }[];
  readonly unpack: boolean;
  readonly package_dir?: string;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  readonly subpackages: readonly (Form & {
    readonly includes: readonly string[];
    readonly excludes: readonly string[];
  })[];
  readonly retrieve: readonly string[];
}

const form = ({ name, category, selector }: PackageRef): Form => ({ name, category, version: selector });

const plain = (items: readonly { readonly value: string }[]): string[] => items.map(({ value }) => value);

function subpackage({ name, category, version, includes, excludes }: Subpackage) {
  return { name, category, version, includes: plain(includes), excludes: plain(excludes) };
}

/** A package's build spec as data to print; undefined where it has none that could be read. */
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
