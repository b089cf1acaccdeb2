import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { assembleImage } from './assemble.ts';
import { layerMediaType, unpackLayer } from './layer/codec.ts';
import { packFolder } from './layer/pack.ts';
import { type Measured, measure, verified } from './layer/verify.ts';
import { hostPlatform } from './platform.ts';
import { type Configuration, type Image, ImageError, type Layer, type Platform } from './types.ts';

/** What an image of a root file system says of itself. */
export interface RootfsOptions {
  /** That of this machine where absent. */
  readonly platform?: Platform;
  /** `NAME=value`; where none sets `PATH`, the usual one is set. */
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * An image of one layer: a folder, or a tar archive, compressed or not. Equal content gives the same image. All of it is read
 * here, to know its digest. Rejects with an ImageError where there is no such folder or file.
 */
export async function rootfsImage(path: string, options: RootfsOptions = {}): Promise<Image> {
  const { platform = hostPlatform(), env = [], labels, signal } = options;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !(found.isDirectory() || found.isFile()))
    throw new ImageError(`${JSON.stringify(path)} is neither a folder nor an archive`);
  const archive = (given?: AbortSignal): AsyncIterable<Uint8Array> =>
    found.isDirectory()
      ? packFolder(path, given === undefined ? {} : { signal: given })
      : unpackLayer(createReadStream(path, { signal: given }));
  const measured = await measure(archive(signal));
  const configuration: Configuration = {
    created: '1970-01-01T00:00:00Z',
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: {
      Env: env.some((one) => one.startsWith('PATH=')) ? env : [PATH, ...env],
      Cmd: ['/bin/sh'],
      ...(labels === undefined ? {} : { Labels: labels }),
    },
    rootfs: { type: 'layers', diff_ids: [measured.digest] },
  };
  return assembleImage(Buffer.from(JSON.stringify(configuration)), [layerOf(archive, measured)]);
}

/** A layer that is packed anew each time that it is read; what has changed meanwhile is found out. */
function layerOf(archive: (signal?: AbortSignal) => AsyncIterable<Uint8Array>, measured: Measured): Layer {
  const read = (signal?: AbortSignal): AsyncIterable<Uint8Array> => verified(archive(signal), measured);
  return {
    descriptor: () => Promise.resolve({ mediaType: layerMediaType('none'), ...measured }),
    diffId: () => Promise.resolve(measured.digest),
    compressed: read,
    uncompressed: read,
  };
}
