import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FAILSAFE_SCHEMA, load, YAMLException } from 'js-yaml';
import type { Compression } from '../tar/index.ts';
import { compressionOf } from './compression.ts';
import { metadataName } from './files.ts';
import type { ArtifactRecord, MetadataPackage } from './metadata.ts';
import { type MetadataFields, parseRecord } from './metadata-read.ts';
import { ENDING } from './metadata-write.ts';

/** What is known about a package in a folder without reading all of its metadata. */
export interface KnownArtifact extends ArtifactRecord {
  readonly compression: Compression;
  /** Path of the archive. */
  readonly archive: string;
}

/** Number of bytes that always contain the record and the archive's name, which come first. */
const BEGINNING = 4096;

/**
 * The record of the package in a folder. Undefined if there is none, if the metadata is incomplete or from
 * another program, or if the archive is missing or has another size. Reads only the start and the end of the
 * metadata, and nothing of the archive.
 */
export async function readArtifactRecord(
  folder: string,
  fingerprint: string,
): Promise<KnownArtifact | undefined> {
  const fields = await readBeginning(join(folder, metadataName(fingerprint)));
  const record = fields && parseRecord(fields);
  if (record === undefined || typeof fields?.path !== 'string') return undefined;
  const compression = compressionOf(fields.path);
  if (compression === undefined || !fields.path.startsWith(`${fingerprint}.package.tar`)) return undefined;
  const archive = join(folder, fields.path);
  const size = await stat(archive).then((found) => (found.isFile() ? found.size : undefined), absent);
  return size === record.size ? { ...record, compression, archive } : undefined;
}

/** The fields before `dependencies` of a complete metadata file. */
async function readBeginning(file: string): Promise<MetadataFields | undefined> {
  const handle = await open(file).catch(absent);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const beginning = await readAt(handle, 0, BEGINNING);
    const end = await readAt(handle, Math.max(0, size - ENDING.length), ENDING.length);
    const stop = beginning.indexOf('\ndependencies:');
    if (stop < 0 || end !== ENDING) return undefined;
    return load(beginning.slice(0, stop), { schema: FAILSAFE_SCHEMA }) as MetadataFields;
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  } finally {
    await handle.close();
  }
}

/** The inputs of a key come before this field. */
const AFTER_INPUTS = '\ncompilespec:';

/**
 * The inputs of a package's key, from the metadata in a folder, and the key. Undefined if the metadata does
 * not contain them. The caller must check the structure of `inputs`, because another version may have written
 * it.
 */
export async function readKeyInputs(
  folder: string,
  fingerprint: string,
): Promise<{ readonly key: string; readonly inputs: unknown } | undefined> {
  const text = await readFile(join(folder, metadataName(fingerprint)), 'utf8').catch(absent);
  const end = text?.indexOf(AFTER_INPUTS) ?? -1;
  if (text === undefined || end < 0 || !text.includes('\nluettsinputs:')) return undefined;
  try {
    const fields = load(text.slice(0, end)) as MetadataFields & { luettsinputs?: unknown };
    const { key } = parseRecord(fields) ?? {};
    return key === undefined ? undefined : { key, inputs: fields.luettsinputs };
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  }
}

/** The package that a metadata file in a folder describes, whoever wrote it. Undefined if there is none. */
export async function readPackage(
  folder: string,
  fingerprint: string,
): Promise<Pick<MetadataPackage, 'name' | 'category' | 'version'> | undefined> {
  const text = await readFile(join(folder, metadataName(fingerprint)), 'utf8').catch(absent);
  // A top-level field near the end, after lists that can be very long.
  const start = text?.lastIndexOf('\nruntime:\n') ?? -1;
  if (text === undefined || start < 0) return undefined;
  try {
    const { runtime } = load(text.slice(start), { schema: FAILSAFE_SCHEMA }) as MetadataFields;
    const { name, category = '', version = '' } = runtime as MetadataFields;
    const isTold = [name, category, version].every((field) => typeof field === 'string');
    return isTold
      ? ({ name, category, version } as { name: string; category: string; version: string })
      : undefined;
  } catch (error) {
    if (error instanceof YAMLException || error instanceof TypeError) return undefined;
    throw error;
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.toString('utf8', 0, bytesRead);
}

/** Returns undefined if the file does not exist; rethrows other errors. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
