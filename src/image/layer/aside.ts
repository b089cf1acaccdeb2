import { chmodSync, mkdirSync, renameSync, utimesSync } from 'node:fs';
import { writing } from '../../disk/index.ts';
import { fromText } from '../../tar/index.ts';
import type { Image } from '../types.ts';
import { removeTree } from './disk.ts';
import { type Extracted, type ExtractOptions, extractLayer } from './extract.ts';

/** Removes a folder, with everything that an image may have put there. Nothing happens where there is none; follows no link. */
export function removeFolder(folder: string): void {
  removeTree(fromText(folder));
}

/**
 * Fills a folder under another name and gives it its name when it is complete: after an error nothing of it is left. `temporary` is a path
 * that nothing has, on the file system of `folder`; that one is absent, or empty. Rejects with a `FileError` where it is something else.
 */
export async function writeFolderAside<T>(
  folder: string,
  temporary: string,
  fill: (temporary: string) => Promise<T>,
): Promise<T> {
  writing(folder, () => mkdirSync(temporary, { mode: 0o700 }));
  try {
    // What an image says nothing about is the same on every machine.
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

/** Lays all layers of an image over each other into a folder: its file system as containers see it. Throws as `extractLayer` does. */
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
