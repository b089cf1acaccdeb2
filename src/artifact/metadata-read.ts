import { FAILSAFE_SCHEMA, load } from 'js-yaml';
import { compressions } from '../tar/index.ts';
import type {
  ArtifactRecord,
  Metadata,
  MetadataBuild,
  MetadataCopy,
  MetadataForm,
  MetadataLink,
  MetadataPackage,
} from './metadata.ts';

/** Thrown if a text is not a metadata file. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
}

/**
 * Reads a metadata file of luet-ts or Luet. Missing fields are empty; throws a MetadataError if the package
 * name or the checksum is missing.
 */
export function parseMetadata(text: string): Metadata {
  const document = parse(text);
  const record = parseRecord(document);
  const runtime = packageOf(mapOf(document.runtime));
  const sha256 = textOf(mapOf(document.checksums).sha256);
  const archive = textOf(document.path).replace(/^.*\//s, '');
  const packing = textOf(document.compressiontype) || 'none';
  const compression = compressions.find((one) => one === packing);
  if (runtime.name === '' || archive === '' || sha256 === '')
    throw new MetadataError('it has no package name or checksum');
  if (compression === undefined) throw new MetadataError(`unknown compression ${packing}`);
  return {
    ...(record === undefined ? undefined : { record }),
    archive,
    compression,
    sha256,
    files: listOf(document.files).map(textOf),
    runtime,
    build: buildOf(mapOf(document.compilespec)),
  };
}

/** Reads all scalars as text: a version stays `1.10`, and no text becomes a number or a date. */
function parse(text: string): MetadataFields {
  try {
    return mapOf(load(text, { schema: FAILSAFE_SCHEMA }));
  } catch (error) {
    throw new MetadataError('it is not YAML', { cause: error });
  }
}

/** The record of luet-ts in a metadata file or in its start; undefined if there is none. */
export function parseRecord(document: MetadataFields): ArtifactRecord | undefined {
  const fields = mapOf(document.luetts);
  const record = {
    key: textOf(fields.key),
    artifact: textOf(fields.artifact),
    size: Number(textOf(fields.size)),
  };
  return record.key !== '' && Number.isSafeInteger(record.size) ? record : undefined;
}

/** A mapping with unchecked values. */
export type MetadataFields = Readonly<Record<string, unknown>>;

const mapOf = (value: unknown): MetadataFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as MetadataFields) : {};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const isTrue = (value: unknown): boolean => value === 'true';

const textMapOf = (value: unknown): ReadonlyMap<string, string> =>
  new Map(Object.entries(mapOf(value)).map(([key, one]) => [key, textOf(one)]));

const formsOf = (value: unknown): MetadataForm[] => listOf(value).map((one) => formOf(mapOf(one)));

const formOf = (fields: MetadataFields): MetadataForm => ({
  name: textOf(fields.name),
  category: textOf(fields.category),
  selector: textOf(fields.version),
});

const packageOf = (fields: MetadataFields): MetadataPackage => ({
  name: textOf(fields.name),
  category: textOf(fields.category),
  version: textOf(fields.version),
  description: textOf(fields.description),
  license: textOf(fields.license),
  uri: listOf(fields.uri).map(textOf),
  hidden: isTrue(fields.hidden),
  labels: textMapOf(fields.labels),
  annotations: textMapOf(fields.annotations),
  useFlags: listOf(fields.useflags).map(textOf),
  requires: formsOf(fields.packagerequires),
  conflicts: formsOf(fields.packageconflicts),
  provides: formsOf(fields.provides),
});

const buildOf = (fields: MetadataFields): MetadataBuild => ({
  package: packageOf(mapOf(fields.package)),
  image: textOf(fields.image),
  seed: textOf(fields.seed),
  prelude: listOf(fields.prelude).map(textOf),
  steps: listOf(fields.steps).map(textOf),
  env: listOf(fields.env).map(textOf),
  copy: listOf(fields.copy).map((one) => copyOf(mapOf(one))),
  packageDir: textOf(fields.package_dir),
  retrieve: listOf(fields.retrieve).map(textOf),
  unpack: isTrue(fields.unpack),
  includes: listOf(fields.includes).map(textOf),
  excludes: listOf(fields.excludes).map(textOf),
  requiresFinalImages: isTrue(fields.requires_final_images),
  closure: listOf(fields.sourceassertion).map((one) => linkOf(mapOf(one))),
});

const linkOf = (fields: MetadataFields): MetadataLink => ({
  package: packageOf(mapOf(fields.package)),
  buildHash: textOf(mapOf(fields.hash).buildhash),
  packageHash: textOf(mapOf(fields.hash).packagehash),
});

function copyOf(fields: MetadataFields): MetadataCopy {
  const from = formOf(mapOf(fields.package));
  const image = textOf(fields.image);
  return {
    ...(from.name === '' ? undefined : { package: from }),
    ...(image === '' ? undefined : { image }),
    source: textOf(fields.source),
    destination: textOf(fields.destination),
  };
}
