import { setImmediate } from 'node:timers/promises';
import { ArchiveError, fromText, readTar } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { Extraction } from './extraction.ts';
import type { SplitRecorder } from './split.ts';

/** Maximum content of an archive; larger ones are rejected. */
export interface ExtractLimits {
  readonly entries: number;
  /** Total file content in bytes, as stored on disk. */
  readonly bytes: number;
  /** Devices; each one costs a process. */
  readonly devices: number;
}

/** Far above what real images contain. */
export const defaultLimits: ExtractLimits = { entries: 4_000_000, bytes: 256 * 2 ** 30, devices: 4096 };

/** Options of `extractLayer`. */
export interface ExtractOptions {
  /**
   * `plain`: extract over existing content; whiteouts remove what they name. `overlay`: the layer gets its
   * own folder, with whiteouts in the format of overlayfs. `overlay-user`: the same for mounts with
   * `userxattr`. Default: `plain`.
   */
  readonly form?: 'plain' | 'overlay' | 'overlay-user';
  /** Format of whiteouts in overlays: devices or, where those cannot be created, attributes (Linux 6.7). */
  readonly whiteouts?: 'device' | 'attribute';
  /**
   * For overlays: the folders of the lower layers, topmost first. Targets of hard links that only lower
   * layers contain are copied up. Parent folders that the archive does not list get their metadata from
   * there. Whiteouts of nothing are left out.
   */
  readonly lowers?: readonly string[];
  /**
   * `keep`: owners as in the archive. `none`: all files belong to this process, for processes that can use
   * one id only. Default: `keep`.
   */
  readonly owners?: 'keep' | 'none';
  /**
   * Whether to create devices, or to skip and count them. Default: `make`. Named pipes are always created.
   */
  readonly devices?: 'make' | 'skip';
  readonly limits?: Partial<ExtractLimits>;
  /** Records everything in the archive except file content. For overlays only, whose folder must be empty. */
  readonly split?: SplitRecorder;
  readonly signal?: AbortSignal;
}

/** Result of extracting a layer. */
export interface Extracted {
  readonly entries: number;
  /** Total file content in bytes. */
  readonly bytes: number;
  /** Number of skipped devices. */
  readonly skippedDevices: number;
  /** Number of extended attributes that this file system or process cannot set. */
  readonly skippedAttributes: number;
}

/**
 * Extracts a layer (uncompressed tar archive) to an existing folder, which nobody else may change at the same
 * time. Nothing outside the folder changes, whatever the archive contains: links created by this layer are
 * resolved inside the folder, links of lower layers in a path are replaced by folders, and names that start
 * with `/` or lead upwards are relative to the folder. Reads the archive to its end, so that a verifying
 * stream has checked it completely.
 *
 * Throws an ImageError if the archive is damaged, unsafe or too large, or if something cannot be written.
 * Content extracted before the error is not removed; extract to a temporary folder if that matters
 * (`writeFolderAside`).
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
      // Lets other work in this process run: archives in memory and small files are extracted without
      // waiting.
      await setImmediate();
      signal?.throwIfAborted();
      sinceBreath = performance.now();
    }
    signal?.throwIfAborted();
    return await extraction.finish();
  } catch (error) {
    if (error instanceof ArchiveError)
      throw new ImageError(`invalid archive of a layer: ${error.message}`, { cause: error });
    throw error;
  }
}
