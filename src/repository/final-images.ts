import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  assembleImage,
  compressLayer,
  type Digest,
  fileLayer,
  type Image,
  type Layer,
  type Platform,
  type Registry,
} from '../image/index.ts';
import { fromText, type SourceEntry, writeTar } from '../tar/index.ts';
import { finalTag, METADATA, type TaggedPackage } from './final-tags.ts';

/** A package in a destination. */
export interface PublishedPackage extends TaggedPackage {
  /** Absolute path of its archive. */
  readonly archive: string;
  /** Absolute path of its metadata. */
  readonly metadata: string;
}

/** The result for a package's content image. */
export interface FinalImageResult {
  readonly package: string;
  /** Name of the image. */
  readonly image: string;
  readonly outcome: /** Pushed now. */
    | 'pushed'
    /** The registry already has the same content. */
    | 'there'
    /**
     * The registry has different content under this tag, which is kept: clients assume that an existing
     * version does not change.
     */
    | 'differs';
}

/** Options for pushing content images. */
export interface FinalImagesOptions {
  readonly registry: Pick<Registry, 'image' | 'write' | 'head'>;
  /** The repository, without a tag. */
  readonly repository: string;
  /** Whether to overwrite existing tags with different content. */
  readonly force: boolean;
  readonly platform: Platform;
  /** An existing folder for compressed layers. */
  readonly temporary: string;
  readonly signal: AbortSignal;
}

/**
 * Creation time of images, always the same so that equal content gives equal images (Go's zero time, as in
 * Luet).
 */
const CREATED = '0001-01-01T00:00:00Z';

/**
 * Pushes the content of a package as an image with one layer, and its metadata as another image; Luet's
 * clients read both. A gzip archive becomes the layer without changes. Rejects with an `ImageError` if the
 * registry fails.
 */
export async function pushFinalImage(
  pack: PublishedPackage,
  options: FinalImagesOptions,
): Promise<FinalImageResult> {
  const { repository } = options;
  const image = `${repository}:${finalTag(pack.fingerprint)}`;
  const metadata = `${repository}:${finalTag(pack.fingerprint)}${METADATA}`;
  const content = await contentImage(pack, options);
  const found = await standing(image, content, options);
  if (found === 'same' && (await options.registry.head(metadata, options.signal)) !== undefined)
    return { package: pack.package, image, outcome: 'there' };
  if (found === 'other' && !options.force) return { package: pack.package, image, outcome: 'differs' };
  // The metadata comes first, so that clients that find the content also find the metadata.
  await options.registry.write(metadata, await metadataImage(pack, options), { signal: options.signal });
  if (found !== 'same') await options.registry.write(image, content, { signal: options.signal });
  return { package: pack.package, image, outcome: 'pushed' };
}

/** What exists under a name: nothing, an image with the same content, or a different one. */
async function standing(
  name: string,
  content: Image,
  { registry, signal }: FinalImagesOptions,
): Promise<'none' | 'same' | 'other'> {
  if ((await registry.head(name, signal)) === undefined) return 'none';
  const there = await registry.image(name, { signal });
  if (there === undefined) return 'none';
  const [ours, theirs] = await Promise.all([content.configuration(), there.configuration()]);
  return ours.rootfs.diff_ids.join() === theirs.rootfs.diff_ids.join() ? 'same' : 'other';
}

/** The image of a package's content, with its archive as the only layer. */
export async function contentImage(
  pack: Pick<PublishedPackage, 'archive' | 'package'>,
  options: Pick<FinalImagesOptions, 'platform' | 'temporary' | 'signal'>,
): Promise<Image> {
  const { signal, temporary } = options;
  const { size } = await stat(pack.archive);
  const layer = fileLayer(
    { size, read: (stop) => createReadStream(pack.archive, { signal: stop }) },
    undefined,
    {
      signal,
    },
  );
  return await imageOf([await gzipped(layer, join(temporary, basename(pack.archive)), signal)], options);
}

/** The image of a package's metadata: the file with its name. */
async function metadataImage(
  { fingerprint, metadata }: PublishedPackage,
  options: FinalImagesOptions,
): Promise<Image> {
  const bytes = await readFile(metadata);
  const name = `${fingerprint}${METADATA}`;
  const entries = async function* (): AsyncGenerator<SourceEntry, void, undefined> {
    const entry = { path: fromText(name), mode: 0o644, uid: 0, gid: 0, mtime: 0 };
    yield {
      entry: { ...entry, type: 'file', size: bytes.length },
      content: async function* () {
        yield bytes;
      },
    };
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries())) chunks.push(Buffer.from(chunk));
  const tar = Buffer.concat(chunks);
  const read = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield tar;
  };
  const { temporary, signal } = options;
  const layer = await gzipped(fileLayer({ size: tar.length, read }), join(temporary, name), signal);
  return await imageOf([layer], options);
}

/**
 * The layer itself if it is gzip, otherwise compressed to a file, because not all clients support other
 * compressions.
 */
async function gzipped(layer: Layer, file: string, signal: AbortSignal): Promise<Layer> {
  const { mediaType } = await layer.descriptor();
  return mediaType.endsWith('gzip') ? layer : compressLayer(layer, 'gzip', file, signal);
}

async function imageOf(
  layers: readonly Layer[],
  { platform }: Pick<FinalImagesOptions, 'platform'>,
): Promise<Image> {
  const ids: Digest[] = [];
  for (const layer of layers) ids.push(await layer.diffId());
  const { os, architecture, variant } = platform;
  const history = layers.map(() => ({ created: CREATED, created_by: 'luet-ts' }));
  const configuration = {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: {},
    created: CREATED,
    history,
    rootfs: { type: 'layers', diff_ids: ids },
  };
  return assembleImage(Buffer.from(JSON.stringify(configuration)), layers);
}
