import { createReadStream } from 'node:fs';
import { mkdtemp, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Compression } from '../../tar/index.ts';
import { assembleImage } from '../assemble.ts';
import { extractImage, writeFolderAside } from '../layer/aside.ts';
import { layerMediaType, packLayer } from '../layer/codec.ts';
import type { ExtractOptions } from '../layer/extract.ts';
import { type PackOptions, packFolder } from '../layer/pack.ts';
import { measure, verified } from '../layer/verify.ts';
import { hostPlatform } from '../platform.ts';
import {
  type Configuration,
  type Descriptor,
  type Digest,
  type Image,
  ImageError,
  type ImageSink,
  type Layer,
  type Platform,
} from '../types.ts';
import { withTemporaryFolder } from './aside.ts';
import { fileLayer } from './docker.ts';

/** What an image is given that is made of a root file system, which says nothing of it. */
export interface RootfsOptions {
  /** That of this machine where absent. */
  readonly platform?: Platform;
  /** `NAME=value`; where none sets `PATH`, the usual one is set. */
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Seconds since 1970 at which the image says to have been made; 0 where absent, so that equal trees give equal images. */
  readonly created?: number;
  /** How a folder's layer is stored; `none` where absent. An archive is stored as it is. */
  readonly compression?: Compression;
  readonly signal?: AbortSignal;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** An image of one layer. */
export async function imageOfLayer(layer: Layer, options: RootfsOptions = {}): Promise<Image> {
  const { platform = hostPlatform(), env = [], labels, created = 0 } = options;
  const wrong = env.find((one) => !/^[^=\0]+=[^\0]*$/.test(one));
  if (wrong !== undefined) throw new ImageError(`${JSON.stringify(wrong)} is no NAME=value`);
  const configuration: Configuration = {
    created: new Date(created * 1000).toISOString().replace('.000Z', 'Z'),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: {
      Env: env.some((one) => one.startsWith('PATH=')) ? env : [PATH, ...env],
      Cmd: ['/bin/sh'],
      ...(labels === undefined ? {} : { Labels: labels }),
    },
    rootfs: { type: 'layers', diff_ids: [await layer.diffId()] },
  };
  return assembleImage(Buffer.from(JSON.stringify(configuration)), [layer]);
}

/**
 * A root file system (`rootfs:PATH`) as an image: a folder, or a tar archive that is plain, gzip or zstd. It is read once to find its digest,
 * and again when its layer is asked for; where it changes in between, that fails. Rejects with an ImageError where there is neither.
 */
export async function rootfsImage(path: string, options: RootfsOptions = {}): Promise<Image> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return imageOfLayer(folderLayer(path, options), options);
  if (!found?.isFile()) throw new ImageError(`${JSON.stringify(path)} is neither a folder nor an archive`);
  const read = (signal?: AbortSignal) => createReadStream(path, { highWaterMark: 256 * 1024, signal });
  const { signal } = options;
  return imageOfLayer(
    fileLayer({ size: found.size, read }, undefined, signal === undefined ? {} : { signal }),
    options,
  );
}

/** A folder as a layer, packed each time that it is read. `pack` tells how, `diffId` what is known of it already. */
export function folderLayer(
  folder: string,
  options: {
    readonly compression?: Compression;
    readonly signal?: AbortSignal;
    readonly pack?: PackOptions;
    readonly diffId?: Digest;
  } = {},
): Layer {
  const { compression = 'none' } = options;
  let id = options.diffId === undefined ? undefined : Promise.resolve(options.diffId);
  let descriptor: Promise<Descriptor> | undefined;
  const archive = (signal = options.signal): AsyncIterable<Uint8Array> =>
    packFolder(folder, { ...options.pack, ...(signal === undefined ? {} : { signal }) });
  const identify = async (): Promise<Digest> => (await measure(archive())).digest;
  const describe = async (): Promise<Descriptor> => ({
    mediaType: layerMediaType(compression),
    ...(await measure(packLayer(verified(archive(), { digest: await layer.diffId() }), compression))),
  });
  const layer: Layer = {
    diffId() {
      id ??= identify();
      return id;
    },
    descriptor() {
      descriptor ??= describe();
      return descriptor;
    },
    async *compressed(signal) {
      yield* verified(packLayer(archive(signal), compression), await layer.descriptor());
    },
    async *uncompressed(signal) {
      yield* verified(archive(signal), { digest: await layer.diffId() });
    },
  };
  return layer;
}

/** A root file system (`rootfs:PATH`) to write: all layers over each other, in a folder that is absent or empty and appears when it is whole. */
export function rootfsSink(
  folder: string,
  options: Omit<ExtractOptions, 'form' | 'lowers' | 'whiteouts'> = {},
): ImageSink {
  return {
    async write(_name, image, { signal, run } = {}) {
      const parent = dirname(folder);
      await withTemporaryFolder(parent, run, async (temporary) => {
        const at = join(await mkdtemp(join(temporary, 'root-')), basename(folder));
        await writeFolderAside(folder, at, (root) =>
          extractImage(image, root, { ...options, ...(signal && { signal }) }),
        ).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'ENOTDIR') throw error;
          throw new ImageError(`${folder} is there already, and is no empty folder`, { cause: error });
        });
      });
      return image.descriptor();
    },
  };
}
