import { isLayerMediaType, unpackLayer } from '../layer/codec.ts';
import { collect, digestOf, verified } from '../layer/verify.ts';
import {
  type IndexManifest,
  isIndexType,
  LONGEST_CONFIGURATION,
  LONGEST_MANIFEST,
  parseConfiguration,
  parseManifest,
} from '../manifest.ts';
import { formatPlatform, hostPlatform, imagesIn, listPlatforms, selectPlatform } from '../platform.ts';
import {
  type Descriptor,
  type Digest,
  type Image,
  ImageError,
  type Layer,
  type ReadOptions,
} from '../types.ts';
import type { Files } from './files.ts';

/** Path of a blob in an OCI layout. */
export const blobName = (digest: Digest): string => `blobs/${digest.replace(':', '/')}`;

/** Maximum nesting of indexes; deeper nesting is an attack. */
const DEEPEST_INDEX = 4;

/** Reads a blob and verifies its descriptor. */
async function* blob(
  files: Files,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await files.find(blobName(descriptor.digest));
  if (file === undefined) throw new ImageError(`blob ${descriptor.digest} not found in ${files.place}`);
  for await (const chunk of verified(file.read(options.signal), descriptor)) {
    options.onBytes?.(chunk.length);
    yield chunk;
  }
}

/** The image that a descriptor in a layout refers to, possibly through indexes. */
export async function imageOf(files: Files, start: Descriptor, options: ReadOptions): Promise<Image> {
  let descriptor = start;
  for (let depth = 0; ; depth++) {
    const what = `the manifest ${descriptor.digest} in ${files.place}`;
    if (descriptor.size > LONGEST_MANIFEST)
      throw new ImageError(`${what} is longer than ${LONGEST_MANIFEST} bytes`);
    const bytes = await collect(
      blob(files, descriptor, { ...options, onBytes: () => {} }),
      LONGEST_MANIFEST,
      what,
    );
    const manifest = parseManifest(bytes, descriptor.mediaType, what);
    if (manifest.kind === 'image')
      return storedImage(files, bytes, { ...descriptor, mediaType: manifest.mediaType }, options);
    if (depth === DEEPEST_INDEX) throw new ImageError(`${what}: indexes are nested too deeply`);
    descriptor = select(manifest, options, what);
  }
}

function select({ manifests }: IndexManifest, options: ReadOptions, what: string): Descriptor {
  const wanted = options.platform ?? hostPlatform();
  const images = imagesIn(manifests);
  const [only] = images;
  // An index that contains only another index has no platform.
  if (images.length === 1 && only !== undefined && isIndexType(only.mediaType)) return only;
  const found = selectPlatform(manifests, wanted);
  if (found !== undefined) return found;
  throw new ImageError(
    `${what}: no image for ${formatPlatform(wanted)}; available: ${listPlatforms(manifests)}`,
  );
}

function storedImage(files: Files, bytes: Uint8Array, descriptor: Descriptor, options: ReadOptions): Image {
  const what = `the manifest ${descriptor.digest} in ${files.place}`;
  const manifest = parseManifest(bytes, descriptor.mediaType, what);
  if (manifest.kind === 'index') throw new ImageError(`${what} is an index`);
  const { config } = manifest;
  let raw: Promise<Uint8Array> | undefined;
  const rawConfiguration = (): Promise<Uint8Array> =>
    (raw ??= collect(
      blob(files, config, { ...options, onBytes: () => {} }),
      LONGEST_CONFIGURATION,
      `the configuration ${config.digest}`,
    ));
  const configuration = async () =>
    parseConfiguration(await rawConfiguration(), `the configuration ${config.digest}`);
  return {
    manifest: () => Promise.resolve(bytes),
    descriptor: () =>
      Promise.resolve({ mediaType: descriptor.mediaType, digest: digestOf(bytes), size: bytes.length }),
    rawConfiguration,
    configuration,
    async layers() {
      const ids = (await configuration()).rootfs.diff_ids;
      if (ids.length !== manifest.layers.length)
        throw new ImageError(
          `${what} lists ${manifest.layers.length} layers, but its configuration lists ${ids.length}`,
        );
      return manifest.layers.map((layer, i) => storedLayer(files, layer, ids[i] as Digest, options));
    },
  };
}

function storedLayer(files: Files, descriptor: Descriptor, diffId: Digest, options: ReadOptions): Layer {
  const compressed = (signal?: AbortSignal): AsyncIterable<Uint8Array> =>
    blob(files, descriptor, { ...options, ...(signal === undefined ? {} : { signal }) });
  return {
    descriptor: () => Promise.resolve(descriptor),
    diffId: () => Promise.resolve(diffId),
    compressed,
    uncompressed(signal) {
      if (!isLayerMediaType(descriptor.mediaType))
        throw new ImageError(
          `${files.place}: unsupported media type ${JSON.stringify(descriptor.mediaType)} of a layer`,
        );
      return verified(unpackLayer(compressed(signal)), { digest: diffId });
    },
  };
}
