import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageFormat } from '../../src/artifact/index.ts';

/**
 * The smallest package format: a text file that lists each path with its type and the digest of its content. It keeps no
 * content, so that packages of it cannot be parts of parent images.
 */
export const listingFormat: PackageFormat = {
  name: 'listing',
  async find({ fingerprint, key, hash }, folder) {
    const archive = join(folder, `${fingerprint}.list`);
    const text = await readFile(archive, 'utf8').catch(() => '');
    return text.startsWith(`${key} ${hash}\n`) ? { archive, size: Buffer.byteLength(text) } : undefined;
  },
  owner: () => Promise.resolve(undefined),
  async write({ fingerprint, key, hash }, entries, { folder }) {
    const lines = [`${key} ${hash}`];
    for await (const { entry, content } of entries) {
      const digest = createHash('sha256');
      if (content !== undefined)
        for await (const chunk of typeof content === 'function' ? content() : content) digest.update(chunk);
      lines.push(`${entry.type} ${entry.path} ${entry.type === 'file' ? digest.digest('hex') : ''}`.trim());
    }
    const text = `${lines.join('\n')}\n`;
    const archive = join(folder, `${fingerprint}.list`);
    await writeFile(archive, text);
    return { archive, files: lines.length - 1, size: Buffer.byteLength(text) };
  },
  // biome-ignore lint/correctness/useYield: it has no entries to give
  async *read(archive) {
    throw new Error(`${archive} is a listing and holds no entries`);
  },
};
