import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Compression,
  type KnownArtifact,
  MetadataError,
  metadataName,
  parseMetadata,
  readArtifactRecord,
} from '../artifact/index.ts';
import type { Product } from './products.ts';

/** A package as it lies in a folder, where it is what would be written there now; else undefined. */
export async function findUnchanged(
  product: Pick<Product, 'fingerprint' | 'hash' | 'key'>,
  folder: string,
  compression: Compression,
): Promise<KnownArtifact | undefined> {
  const known = await readArtifactRecord(folder, product.fingerprint);
  if (
    known === undefined ||
    known.artifact !== product.hash ||
    known.key !== product.key ||
    known.compression !== compression
  )
    return undefined;
  const metadata = join(folder, metadataName(product.fingerprint));
  return (await isUntouched(known.archive, metadata)) ? known : undefined;
}

/**
 * Whether an archive is the one that its metadata speaks of. Metadata is written when its archive is complete; only an
 * archive that is newer, because it was copied or meddled with, has to be read.
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
