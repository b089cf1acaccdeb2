import { chmodSync, mkdirSync, renameSync, utimesSync } from 'node:fs';
import { writing } from '../../disk/index.ts';
import { fromText } from '../../tar/index.ts';
import type { Image } from '../types.ts';
import { removeTree } from './disk.ts';
import { type Extracted, type ExtractOptions, extractLayer } from './extract.ts';

/**
 * Removes a folder with its content, whatever permissions an image gave to it. Does nothing if it does not
 * exist; does not follow links.
 */
export function removeFolder(folder: string): void {
  removeTree(fromText(folder));
}

/**
 * Fills a folder under a temporary name and renames it when it is complete. After an error, nothing is left.
 * `temporary` must be an unused path on the file system of `folder`; `folder` must not exist, or be empty.
 * Rejects with a `FileError` otherwise.
 */
export async function writeFolderAside<T>(
  folder: string,
  temporary: string,
  fill: (temporary: string) => Promise<T>,
): Promise<T> {
  writing(folder, () => mkdirSync(temporary, { mode: 0o700 }));
  try {
    // Fixed mode, so that a root folder whose mode the image does not set is the same on all machines.
    chmodSync(temporary, 0o755);
    utimesSync(temporary, 0, 0);
    const result = await fill(temporary);
    writing(folder, () => renameSync(temporary, folder));
    return result;
  } catch (error) {
    removeFolder(temporary);
    throw error;
  }
}

/**
 * Extracts all layers of an image, one over the other, to a folder: the file system that containers see.
 * Throws the same errors as `extractLayer`.
 */
export async function extractImage(
  image: Image,
  folder: string,
  options: Omit<ExtractOptions, 'form' | 'lowers' | 'whiteouts'> = {},
): Promise<Extracted> {
  const total = { entries: 0, bytes: 0, skippedDevices: 0, skippedAttributes: 0 };
  for (const layer of await image.layers()) {
    const extracted = await extractLayer(layer.uncompressed(options.signal), folder, options);
    for (const what of Object.keys(total) as (keyof typeof total)[]) total[what] += extracted[what];
  }
  return total;
}
