import { dump } from 'js-yaml';
import type {
  Metadata,
  MetadataBuild,
  MetadataCopy,
  MetadataForm,
  MetadataLink,
  MetadataPackage,
} from './metadata.ts';

/** The end of every metadata file written by luet-ts: the last field of the last mapping. */
export const ENDING = "\n  origindockerfile: ''\n";

/**
 * The text of a metadata file, with the field names that Luet clients read. Fields that would differ between
 * machines and runs are empty, and the build time is the digest of the archive. Equal metadata gives equal
 * text. The record of luet-ts comes first, so that it can be read without the rest.
 */
export function serializeMetadata(metadata: Metadata): string {
  const { record, inputs, archive, compression, sha256, files, runtime, build } = metadata;
  // Clients reinstall a package (`luet upgrade --sync`) if this text changes; its format is not interpreted.
  const stamp = `sha256:${sha256}`;
  const document = {
    ...(record === undefined ? undefined : { luetts: recordFields(record) }),
    path: archive,
    dependencies: [],
    ...(inputs === undefined ? undefined : { luettsinputs: inputs }),
    compilespec: buildFields(build, stamp),
    checksums: { sha256 },
    sourceassertion: [],
    compressiontype: compression,
    files,
    packagecacheimage: '',
    runtime: packageFields(runtime, stamp),
  };
  return dump(document, { noRefs: true, lineWidth: -1 });
}

const recordFields = ({ key, artifact, size }: NonNullable<Metadata['record']>) => ({ key, artifact, size });

function buildFields(build: MetadataBuild, stamp: string) {
  return {
    steps: build.steps,
    env: build.env,
    prelude: build.prelude,
    image: build.image,
    seed: build.seed,
    package: packageFields(build.package, stamp),
    sourceassertion: build.closure.map(linkFields),
    package_dir: build.packageDir,
    retrieve: build.retrieve,
    outputpath: '',
    unpack: build.unpack,
    includes: build.includes,
    excludes: build.excludes,
    buildoptions,
    copy: build.copy.map(copyFields),
    requires_final_images: build.requiresFinalImages,
  };
}

const linkFields = (link: MetadataLink) => ({
  package: packageFields(link.package),
  value: true,
  hash: { buildhash: link.buildHash, packagehash: link.packageHash },
});

const copyFields = (copy: MetadataCopy) => ({
  package: copy.package === undefined ? null : formFields(copy.package),
  image: copy.image ?? '',
  source: copy.source,
  destination: copy.destination,
});

/** A requirement is a package with a name, a category and a selector as its version. */
const formFields = ({ name, category, selector }: MetadataForm) =>
  packageFields({
    name,
    category,
    version: selector,
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
  });

interface PackageFields {
  readonly packagerequires: readonly PackageFields[];
  readonly packageconflicts: readonly PackageFields[];
  readonly provides: readonly PackageFields[];
  readonly [field: string]: unknown;
}

function packageFields(one: MetadataPackage, stamp = ''): PackageFields {
  return {
    id: 0,
    name: one.name,
    version: one.version,
    category: one.category,
    useflags: one.useFlags,
    state: '',
    packagerequires: one.requires.map(formFields),
    packageconflicts: one.conflicts.map(formFields),
    provides: one.provides.map(formFields),
    hidden: one.hidden,
    annotations: mapFields(one.annotations),
    path: '',
    description: one.description,
    uri: one.uri,
    license: one.license,
    buildtimestamp: stamp,
    labels: mapFields(one.labels),
    treedir: '',
    origindockerfile: '',
  };
}

/** Sorted, because the order of keys can differ between readers of a definition. */
function mapFields(map: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The options of the build are not a property of the package; clients only require that the fields exist. */
const buildoptions = {
  pushimagerepository: '',
  pullimagerepository: [],
  pullfirst: false,
  keepimg: false,
  push: false,
  concurrency: 0,
  compressiontype: '',
  wait: false,
  onlydeps: false,
  nodeps: false,
  solveroptions: {},
  buildvaluesfile: [],
  buildvalues: [],
  packagetargetonly: false,
  rebuild: false,
  backendargs: [],
  backendtype: '',
  templatesfolder: [],
  pushfinalimages: false,
  pushfinalimagesforce: false,
  generatefinalimages: false,
  pushfinalimagesrepository: '',
  runtimedatabase: null,
  context: null,
};
