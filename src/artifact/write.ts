import { createHash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Chunks,
  makeFolder,
  removeMade,
  replaceBy,
  type StageOptions,
  stageFile,
  syncFolder,
  writing,
} from '../disk/index.ts';
import {
  type BytePath,
  type Compression,
  compress,
  compressions,
  type EntrySource,
  toText,
  writeTar,
} from '../tar/index.ts';
import { archiveName } from './compression.ts';
import { metadataName, temporaryName } from './files.ts';
import type { ArtifactRecord, Metadata, MetadataBuild, MetadataPackage } from './metadata.ts';
import { serializeMetadata } from './metadata-write.ts';

/** A package to write. */
export interface PackageFileOptions {
  /** The destination folder; it is created if it does not exist. */
  readonly destination: string;
  /** `name-category-version`. */
  readonly fingerprint: string;
  readonly compression: Compression;
  /**
   * The entries of the package, sorted by bytes, without duplicate paths. Of several names of a file, the
   * first one is the file.
   */
  readonly entries: EntrySource;
  readonly runtime: MetadataPackage;
  readonly build: MetadataBuild;
  readonly record: Omit<ArtifactRecord, 'size'>;
  /** As in the metadata. */
  readonly inputs?: object | undefined;
  /** Part of the names of temporary files: letters, digits, `.` and `_`, unique among all running builds. */
  readonly runId: string;
  /** Stops the work between two chunks. */
  readonly signal?: AbortSignal | undefined;
}

/** A package that was written. */
export interface WrittenArtifact {
  /** Paths of the two files. */
  readonly archive: string;
  readonly metadata: string;
  /** Of the archive on disk: SHA-256 in hexadecimal, and size in bytes. */
  readonly sha256: string;
  readonly size: number;
  /** As in the metadata: all entries except folders. */
  readonly files: readonly string[];
}

/**
 * Writes a package's archive and metadata. Both are written to temporary files and renamed when they are
 * complete and on disk, the metadata last, so that metadata never exists without its archive. Archives of the
 * package with other compressions are removed. After an error or abort nothing of it is left. Rejects with a
 * `FileError` if it cannot be written.
 */
export async function writeArtifact(options: PackageFileOptions): Promise<WrittenArtifact> {
  const { destination, fingerprint, compression, runtime, build, record, runId, signal } = options;
  const place = (name: string): string => join(destination, name);
  const archive = archiveName(fingerprint, compression);
  const metadata = metadataName(fingerprint);
  const archiveAside = place(temporaryName(runId, archive));
  const metadataAside = place(temporaryName(runId, metadata));
  const made = [archiveAside, metadataAside];
  const folders = makeFolder(destination);
  try {
    const files: string[] = [];
    const tar = writeTar(checked(options.entries, files));
    const { sha256, size } = await stageMeasured(archiveAside, () => compress(tar, compression), {
      place: place(archive),
      signal,
      overwrite: true,
    });
    const content: Metadata = {
      record: { ...record, size },
      inputs: options.inputs,
      archive,
      compression,
      sha256,
      files,
      runtime,
      build,
    };
    const text = Buffer.from(serializeMetadata(content));
    await stageFile(metadataAside, () => [text], { place: place(metadata), signal, overwrite: true });
    // Removes old metadata first: it must not describe the new archive if this process is killed between the
    // two renames.
    await writing(place(archive), async () => {
      await rm(place(metadata), { force: true });
      await rename(archiveAside, place(archive));
      made.push(place(archive));
      for (const other of compressions)
        if (other !== compression) await rm(place(archiveName(fingerprint, other)), { force: true });
      await syncFolder(destination);
    });
    await replaceBy(metadataAside, place(metadata));
    return { archive: place(archive), metadata: place(metadata), sha256, size, files };
  } catch (error) {
    await Promise.all(made.map((file) => rm(file, { force: true })));
    removeMade(folders);
    throw error;
  }
}

/** As `stageFile`; measures what was written. */
async function stageMeasured(
  temporary: string,
  chunks: () => Chunks,
  options: StageOptions,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  const onChunk = (chunk: Uint8Array): void => {
    hash.update(chunk);
    size += chunk.length;
  };
  await stageFile(temporary, chunks, { ...options, onChunk });
  return { sha256: hash.digest('hex'), size };
}

/** Checks the order of the entries, and collects the paths that are not folders. */
async function* checked(entries: EntrySource, files: string[]): EntrySource {
  let previous: BytePath = '';
  for await (const one of entries) {
    const { path, type, link } = one.entry;
    if (path <= previous)
      throw new Error(
        `entries are not sorted: ${JSON.stringify(path)} comes after ${JSON.stringify(previous)}`,
      );
    if (type === 'hardlink' && (link ?? '') >= path)
      throw new Error(`${JSON.stringify(path)} is a hard link to ${JSON.stringify(link)}, which comes later`);
    if (type !== 'directory') files.push(toText(path));
    previous = path;
    yield one;
  }
}
