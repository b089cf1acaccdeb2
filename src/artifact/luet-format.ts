import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Compression, readTar } from '../tar/index.ts';
import { openArchive } from './compression.ts';
import { metadataName } from './files.ts';
import type { FoundPackage, PackageFormat, PackageToWrite } from './format.ts';
import { MetadataError, parseMetadata } from './metadata-read.ts';
import { readArtifactRecord, readPackage } from './record.ts';
import { writeArtifact } from './write.ts';

/** Luet's package format: an archive, and `FINGERPRINT.metadata.yaml` beside it. */
export function luetFormat(compression: Compression): PackageFormat {
  return {
    name: 'luet',
    find: (pack, folder) => findUnchanged(pack, folder, compression),
    owner: (fingerprint, folder) => readPackage(folder, fingerprint),
    async write({ fingerprint, runtime, build, key, hash, inputs }, entries, { folder, runId, signal }) {
      const { archive, files, size } = await writeArtifact({
        destination: folder,
        fingerprint,
        compression,
        entries,
        runtime,
        build,
        record: { key, artifact: hash },
        inputs,
        runId,
        signal,
      });
      return { archive, files: files.length, size };
    },
    read: (archive) => readTar(openArchive(archive)),
  };
}

async function findUnchanged(
  { fingerprint, key, hash }: Pick<PackageToWrite, 'fingerprint' | 'key' | 'hash'>,
  folder: string,
  compression: Compression,
): Promise<FoundPackage | undefined> {
  const known = await readArtifactRecord(folder, fingerprint);
  if (
    known === undefined ||
    known.artifact !== hash ||
    known.key !== key ||
    known.compression !== compression
  )
    return undefined;
  const { archive, size } = known;
  return (await isUntouched(archive, join(folder, metadataName(fingerprint))))
    ? { archive, size }
    : undefined;
}

/**
 * Whether an archive is the one that its metadata describes. Metadata is written after its archive. So the
 * archive must be read only if it is newer than the metadata, because it was copied or changed.
 */
async function isUntouched(archive: string, metadata: string): Promise<boolean> {
  const [itself, said] = await Promise.all([archive, metadata].map((file) => stat(file, { bigint: true })));
  if (itself === undefined || said === undefined) return false;
  if (itself.mtimeNs <= said.mtimeNs) return true;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(archive)) hash.update(chunk as Buffer);
  try {
    return parseMetadata(await readFile(metadata, 'utf8')).sha256 === hash.digest('hex');
  } catch (error) {
    if (error instanceof MetadataError) return false;
    throw error;
  }
}
