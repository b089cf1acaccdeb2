import type { MetadataBuild, MetadataPackage } from '../../src/artifact/index.ts';

/** A package with nothing but a form. */
export function bare(name: string, more: Partial<MetadataPackage> = {}): MetadataPackage {
  return {
    name,
    category: 'utils',
    version: '1.0',
    description: '',
    license: '',
    uri: [],
    hidden: false,
    labels: new Map(),
    annotations: new Map(),
    useFlags: [],
    requires: [],
    conflicts: [],
    provides: [],
    ...more,
  };
}

/** A build of it with nothing to do. */
export function idle(one: MetadataPackage, more: Partial<MetadataBuild> = {}): MetadataBuild {
  return {
    package: one,
    image: '',
    seed: '',
    prelude: [],
    steps: [],
    env: [],
    copy: [],
    packageDir: '',
    retrieve: [],
    unpack: false,
    includes: [],
    excludes: [],
    requiresFinalImages: false,
    closure: [],
    ...more,
  };
}
