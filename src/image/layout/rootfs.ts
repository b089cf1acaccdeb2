import { stat } from 'node:fs/promises';
import { FileError, reading } from '../../disk/index.ts';
import { ArchiveError, type Compression, readTar } from '../../tar/index.ts';
import { assembleImage } from '../assemble.ts';
import { extractImage } from '../layer/aside.ts';
import { layerMediaType, packLayer, unpackLayer } from '../layer/codec.ts';
import type { ExtractOptions } from '../layer/extract.ts';
import { type PackOptions, packFolder } from '../layer/pack.ts';
import { measure, verified } from '../layer/verify.ts';
import { writeFolder } from '../layer/write-folder.ts';
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
import { fileLayer } from './docker.ts';
import { readFrom } from './files.ts';

/** What is run in containers of an image, and how (OCI image configuration, `config`). */
export interface RunSettings {
  /** `NAME=value`, of which the last of each name counts; where none sets `PATH`, the usual one is set. */
  readonly env?: readonly string[];
  /** The program to run and its arguments; where there is neither this nor `entrypoint`, `/bin/sh`. */
  readonly command?: readonly string[];
  /** What `command` is appended to. */
  readonly entrypoint?: readonly string[];
  /** `USER[:GROUP]`, names or numbers; root where absent. */
  readonly user?: string;
  /** Absolute path of the folder that it runs in; `/` where absent. */
  readonly workingDirectory?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What an image is given that is made of root file systems, which say nothing of it. */
export interface RootfsOptions extends RunSettings {
  /** That of this machine where absent. */
  readonly platform?: Platform;
  /** Seconds since 1970 at which the image says to have been made; 0 where absent, so that equal trees give equal images. */
  readonly created?: number;
  /** How a folder's layer is stored; `none` where absent. An archive is stored as it is. */
  readonly compression?: Compression;
  readonly signal?: AbortSignal;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** An image of some layers, the lowest first. Throws an ImageError for settings that no image can have. */
export async function imageOfLayers(layers: readonly Layer[], options: RootfsOptions = {}): Promise<Image> {
  const { platform = hostPlatform(), created: seconds = 0 } = options;
  const created = new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
  const configuration: Configuration = {
    created,
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: runConfiguration(options),
    rootfs: { type: 'layers', diff_ids: await Promise.all(layers.map((layer) => layer.diffId())) },
  };
  // Podman makes no image of a container whose image has layers that its history does not tell of, once there are two.
  const history = layers.map(() => ({ created, created_by: 'luet-ts' }));
  return assembleImage(Buffer.from(JSON.stringify({ ...configuration, history })), layers);
}

function runConfiguration(settings: RunSettings): NonNullable<Configuration['config']> {
  const { env = [], command, entrypoint = [], user = '', workingDirectory = '', labels = {} } = settings;
  const wrong = env.find((one) => !/^[^=\0]+=[^\0]*$/.test(one));
  if (wrong !== undefined) throw new ImageError(`${JSON.stringify(wrong)} is not NAME=value`);
  if (workingDirectory !== '' && !workingDirectory.startsWith('/'))
    throw new ImageError(`the working directory ${JSON.stringify(workingDirectory)} is not an absolute path`);
  const variables = new Map(env.map((one) => [one.slice(0, one.indexOf('=')), one]));
  const Env = variables.has('PATH') ? [...variables.values()] : [PATH, ...variables.values()];
  // A shell would be taken for an argument of the entrypoint.
  const Cmd = command ?? (entrypoint.length === 0 ? ['/bin/sh'] : []);
  return {
    Env,
    ...(Cmd.length === 0 ? {} : { Cmd }),
    ...(entrypoint.length === 0 ? {} : { Entrypoint: entrypoint }),
    ...(user === '' ? {} : { User: user }),
    ...(workingDirectory === '' ? {} : { WorkingDir: workingDirectory }),
    ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }),
  };
}

/**
 * A root file system (`rootfs:PATH`) as an image: a folder, or a tar archive that is plain, gzip or zstd. It is read once to find its digest,
 * and again when its layer is asked for; where it changes in between, that fails. Rejects with an ImageError where there is neither.
 */
export async function rootfsImage(path: string, options: RootfsOptions = {}): Promise<Image> {
  return await rootfsLayersImage([path], options);
}

/** As `rootfsImage`, of several root file systems: a layer each, the first one lowest. */
export async function rootfsLayersImage(
  paths: readonly string[],
  options: RootfsOptions = {},
): Promise<Image> {
  return await imageOfLayers(await Promise.all(paths.map((path) => rootfsLayer(path, options))), options);
}

async function rootfsLayer(path: string, options: RootfsOptions): Promise<Layer> {
  const found = await reading(path, () => stat(path)).catch((error: unknown) => {
    if (!(error instanceof FileError)) throw error;
    const message = `${JSON.stringify(path)} is neither a folder nor an archive: ${error.why}`;
    throw new ImageError(message, { cause: error, hint: error.hint });
  });
  if (found.isDirectory()) return folderLayer(path, options);
  if (!found.isFile()) throw new ImageError(`${JSON.stringify(path)} is neither a folder nor an archive`);
  const read = (signal?: AbortSignal) => readFrom(path, { signal });
  const { signal } = options;
  await checkArchive(path, read(signal));
  return fileLayer({ size: found.size, read }, undefined, signal === undefined ? {} : { signal });
}

/** Throws an ImageError for a file that does not begin as an archive: any other would make an image that nobody can unpack. */
async function checkArchive(path: string, stored: AsyncIterable<Uint8Array>): Promise<void> {
  const options = { sparse: true, rooted: true, allowMissingEnd: true };
  try {
    for await (const _ of readTar(unpackLayer(stored), options)) return;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new ImageError(`${path} is no tar archive: ${error.message}`, { cause: error });
  }
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
      await writeFolder(folder, run, (root) =>
        extractImage(image, root, { ...options, ...(signal && { signal }) }),
      );
      return image.descriptor();
    },
  };
}
