import { setImmediate } from 'node:timers/promises';
import { ArchiveError, fromText, readTar } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { Extraction } from './extraction.ts';
import type { SplitRecorder } from './split.ts';

/** How much an archive may hold; past that it is refused. */
export interface ExtractLimits {
  readonly entries: number;
  /** Of content, as it takes room on disk. */
  readonly bytes: number;
  /** Devices; each one costs a process. */
  readonly devices: number;
}

/** No image that anybody uses comes near to these. */
export const defaultLimits: ExtractLimits = { entries: 4_000_000, bytes: 256 * 2 ** 30, devices: 4096 };

/** How a layer is laid into a folder. */
export interface ExtractOptions {
  /**
   * `plain`: over what is there, of which whiteouts remove what they name. `overlay`: as a layer of an overlay mount, alone in the
   * folder, with whiteouts as overlayfs has them; `overlay-user`: likewise for mounts with `userxattr`. `plain` where absent.
   */
  readonly form?: 'plain' | 'overlay' | 'overlay-user';
  /** In overlays: devices, or, where those cannot be made, attributes (Linux 6.7). */
  readonly whiteouts?: 'device' | 'attribute';
  /**
   * In overlays: the folders of the layers beneath, highest first. What this layer links to and does not have is copied up from there, folders
   * that it has something in and says nothing of are as they are there, and whiteouts of nothing are left out.
   */
  readonly lowers?: readonly string[];
  /** `keep`: as the archive says; `none`: everything is this process's, where there is but one id. `keep` where absent. */
  readonly owners?: 'keep' | 'none';
  /** Devices: made, or left out and counted. `make` where absent. Pipes are always made. */
  readonly devices?: 'make' | 'skip';
  readonly limits?: Partial<ExtractLimits>;
  /** Writes down what the archive is besides the content of its files; for overlays, whose folder is empty before. */
  readonly split?: SplitRecorder;
  readonly signal?: AbortSignal;
}

/** What came out of a layer. */
export interface Extracted {
  readonly entries: number;
  /** Of content. */
  readonly bytes: number;
  /** Devices that were left out. */
  readonly skippedDevices: number;
  /** Extended attributes that this file system or this process cannot set. */
  readonly skippedAttributes: number;
}

/**
 * Applies a layer's archive (plain tar) to a folder that is there and that nobody else writes to meanwhile. Nothing outside the folder
 * changes, whatever the archive says: a path through a link that the layer itself made leads to where that points inside of the folder, a
 * link of a lower layer in the way becomes a folder, and names that begin with `/` or lead upwards begin at the folder. Reads the archive to its end, so a stream that verifies itself has done so.
 *
 * Throws an ImageError for an archive that is damaged, hostile or too large, and for what cannot be written; what was extracted
 * by then is still there. Extract aside where that matters (`aside`).
 */
export async function extractLayer(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  options: ExtractOptions = {},
): Promise<Extracted> {
  const { signal, split } = options;
  const extraction = new Extraction(fromText(folder), options, { ...defaultLimits, ...options.limits });
  let sinceBreath = performance.now();
  try {
    const entries = readTar(split?.watch(archive) ?? archive, {
      sparse: true,
      rooted: true,
      allowMissingEnd: true,
    });
    for await (const read of split?.entries(entries) ?? entries) {
      await extraction.add(read);
      if (performance.now() - sinceBreath < 15) continue;
      // Archives in memory and small files would keep everything else in this process waiting.
      await setImmediate();
      signal?.throwIfAborted();
      sinceBreath = performance.now();
    }
    signal?.throwIfAborted();
    return await extraction.finish();
  } catch (error) {
    if (error instanceof ArchiveError)
      throw new ImageError(`a layer's archive: ${error.message}`, { cause: error });
    throw error;
  }
}
