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

/** A package as it lies in a destination. */
export interface PublishedPackage extends TaggedPackage {
  /** Absolute path of its archive. */
  readonly archive: string;
  /** Absolute path of its metadata. */
  readonly metadata: string;
}

/** What became of a package's content image. */
export interface FinalImageResult {
  readonly package: string;
  /** The image's name. */
  readonly image: string;
  readonly outcome: /** Pushed now. */
    | 'pushed'
    /** The registry has the same content. */
    | 'there'
    /** The registry has other content under the tag, which stays: clients take a version that exists for unchanged. */
    | 'differs';
}

/** How content images are pushed. */
export interface FinalImagesOptions {
  readonly registry: Pick<Registry, 'image' | 'write' | 'head'>;
  /** The repository, without a tag. */
  readonly repository: string;
  /** Whether tags that exist are overwritten where their content differs. */
  readonly force: boolean;
  readonly platform: Platform;
  /** An existing folder for compressed layers. */
  readonly temporary: string;
  readonly signal: AbortSignal;
}

/** When images say that they were made: images with equal content are equal (Go's zero time, as Luet writes it). */
const CREATED = '0001-01-01T00:00:00Z';

/**
 * Pushes the content of a package as an image of one layer, and its metadata as another, both of which Luet's clients read. A gzip
 * archive is the layer as it is, byte for byte. Rejects with an `ImageError` where the registry fails.
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
  // The metadata first: who finds the content finds what describes it.
  await options.registry.write(metadata, await metadataImage(pack, options), { signal: options.signal });
  if (found !== 'same') await options.registry.write(image, content, { signal: options.signal });
  return { package: pack.package, image, outcome: 'pushed' };
}

/** What stands under a name: nothing, an image with the same content, or another one. */
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

/** The image of a package's content: its archive as the only layer. */
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

/** The image of a package's metadata: that file under its own name. */
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

/** The layer itself where it is gzip, and compressed into a file where it is not: not every client reads others. */
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
