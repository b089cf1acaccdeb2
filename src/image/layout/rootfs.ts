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

/** How containers of an image are run (OCI image configuration, `config`). */
export interface RunSettings {
  /** `NAME=value`; the last value of a name is used. If `PATH` is not set, it gets the usual value. */
  readonly env?: readonly string[];
  /** The program to run and its arguments. Default: `/bin/sh`, unless `entrypoint` is set. */
  readonly command?: readonly string[];
  /** The program to run; `command` is appended to it. */
  readonly entrypoint?: readonly string[];
  /** `USER[:GROUP]` as names or numbers. Default: root. */
  readonly user?: string;
  /** Absolute path of the working directory. Default: `/`. */
  readonly workingDirectory?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Properties of an image made of root file systems, which do not contain them. */
export interface RootfsOptions extends RunSettings {
  /** Default: the platform of this machine. */
  readonly platform?: Platform;
  /** Creation time in seconds since 1970. Default: 0, so that equal trees give equal images. */
  readonly created?: number;
  /** Compression of a folder's layer. Default: `none`. An archive is not changed. */
  readonly compression?: Compression;
  readonly signal?: AbortSignal;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Creates an image of layers, the lowest first. Throws an ImageError for invalid settings. */
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
  // Podman cannot commit a container if the image has two or more layers that its history does not list.
  const history = layers.map(() => ({ created, created_by: 'luet-ts' }));
  return assembleImage(Buffer.from(JSON.stringify({ ...configuration, history })), layers);
}

function runConfiguration(settings: RunSettings): NonNullable<Configuration['config']> {
  const { env = [], command, entrypoint = [], user = '', workingDirectory = '', labels = {} } = settings;
  const wrong = env.find((one) => !/^[^=\0]+=[^\0]*$/.test(one));
  if (wrong !== undefined)
    throw new ImageError(`invalid environment variable ${JSON.stringify(wrong)}: expected NAME=value`);
  if (workingDirectory !== '' && !workingDirectory.startsWith('/'))
    throw new ImageError(`the working directory ${JSON.stringify(workingDirectory)} is not an absolute path`);
  const variables = new Map(env.map((one) => [one.slice(0, one.indexOf('=')), one]));
  const Env = variables.has('PATH') ? [...variables.values()] : [PATH, ...variables.values()];
  // With an entrypoint, a default shell would become its argument.
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
 * An image made of a root file system (`rootfs:PATH`): a folder, or a tar archive (uncompressed, gzip or
 * zstd). It is read once to compute its digest, and again when its layer is read; that fails if it was
 * changed in between. Rejects with an ImageError if the path is neither.
 */
export async function rootfsImage(path: string, options: RootfsOptions = {}): Promise<Image> {
  return await rootfsLayersImage([path], options);
}

/** Like `rootfsImage`, with one layer for each of several root file systems, the lowest first. */
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

/**
 * Checks that a file starts as a tar archive; otherwise the image could not be unpacked. Throws an
 * ImageError.
 */
async function checkArchive(path: string, stored: AsyncIterable<Uint8Array>): Promise<void> {
  const options = { sparse: true, rooted: true, allowMissingEnd: true };
  try {
    for await (const _ of readTar(unpackLayer(stored), options)) return;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    const isMetadata = path.endsWith('.metadata.yaml');
    const what = isMetadata
      ? 'the metadata of a package, not its archive'
      : `not a tar archive: ${error.message}`;
    throw new ImageError(`${path} is ${what}`, {
      cause: error,
      ...(isMetadata && { hint: 'Name the .package.tar beside it' }),
    });
  }
}

/**
 * A folder as a layer, which is packed at each read. `pack` has the options of packing, `diffId` the digest
 * if it is known.
 */
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

/**
 * Writes a root file system (`rootfs:PATH`): all layers of an image, extracted to a folder. The folder must
 * not exist or be empty, and appears when it is complete.
 */
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
