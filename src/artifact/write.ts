import { createHash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, removeMade, replaceBy, stageFile, syncFolder, writing } from '../disk/index.ts';
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
export interface ArtifactOptions {
  /** The folder that the package goes to; made where it is missing. */
  readonly destination: string;
  /** `name-category-version`. */
  readonly fingerprint: string;
  readonly compression: Compression;
  /** What the package holds, sorted by bytes, each path once; of a file's several names the first is the file. */
  readonly entries: EntrySource;
  readonly runtime: MetadataPackage;
  readonly build: MetadataBuild;
  readonly record: Omit<ArtifactRecord, 'size'>;
  /** As in the metadata. */
  readonly inputs?: object | undefined;
  /** Marks files that are not finished; letters, digits, `.` and `_`, no two runs at once the same. */
  readonly runId: string;
  /** Stops the work between two chunks. */
  readonly signal?: AbortSignal | undefined;
}

/** A package that was written. */
export interface WrittenArtifact {
  /** Paths of the two files. */
  readonly archive: string;
  readonly metadata: string;
  /** Of the archive on disk: SHA-256 in hexadecimal, and bytes. */
  readonly sha256: string;
  readonly size: number;
  /** As in the metadata: all entries but directories. */
  readonly files: readonly string[];
}

/**
 * Writes a package's archive and its metadata. Both are written aside, and take their names when they are complete
 * and on disk, the metadata last: so metadata without its archive is never there. The package's archives in other
 * compressions are removed. After an error or an abort nothing of it is left. Rejects with a `FileError` where it cannot be written.
 */
export async function writeArtifact(options: ArtifactOptions): Promise<WrittenArtifact> {
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
    const hash = createHash('sha256');
    let size = 0;
    await stageFile(archiveAside, () => compress(tar, compression), {
      ...{ place: place(archive), signal, overwrite: true },
      onChunk: (chunk) => {
        hash.update(chunk);
        size += chunk.length;
      },
    });
    const sha256 = hash.digest('hex');
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
    // Old metadata must not vouch for the new archive, should this process end between the two names.
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

/** The entries as they are, their order checked; notes the paths that are no directories. */
async function* checked(entries: EntrySource, files: string[]): EntrySource {
  let previous: BytePath = '';
  for await (const one of entries) {
    const { path, type, link } = one.entry;
    if (path <= previous) throw new Error(`${JSON.stringify(path)} comes after ${JSON.stringify(previous)}`);
    if (type === 'hardlink' && (link ?? '') >= path)
      throw new Error(`${JSON.stringify(path)} is a link to ${JSON.stringify(link)}, which comes later`);
    if (type !== 'directory') files.push(toText(path));
    previous = path;
    yield one;
  }
}
