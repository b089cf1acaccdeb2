import { verified } from '../layer/verify.ts';
import { parseManifest } from '../manifest.ts';
import { type Descriptor, type Image, ImageError } from '../types.ts';

/** A blob of an image. */
export interface ImageBlob {
  readonly descriptor: Descriptor;
  /** Its content. The stream fails if the content does not match the descriptor. */
  readonly read: (signal?: AbortSignal) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * All blobs of an image, without duplicates: layers, configuration, and the manifest last. Throws an
 * ImageError if they contradict each other.
 */
export async function* blobsOf(image: Image): AsyncGenerator<ImageBlob, void, undefined> {
  const bytes = await image.manifest();
  const descriptor = await image.descriptor();
  const what = `the manifest ${descriptor.digest}`;
  const manifest = parseManifest(bytes, descriptor.mediaType, what);
  if (manifest.kind === 'index') throw new ImageError(`${what} is an index`);
  const layers = await image.layers();
  const seen = new Set<string>();
  for (const [i, stored] of manifest.layers.entries()) {
    const layer = layers[i];
    if (layer === undefined || layers.length !== manifest.layers.length)
      throw new ImageError(
        `${what} lists ${manifest.layers.length} layers, but the image has ${layers.length}`,
      );
    if (seen.has(stored.digest)) continue;
    seen.add(stored.digest);
    yield { descriptor: stored, read: (signal) => verified(layer.compressed(signal), stored) };
  }
  const configuration = await image.rawConfiguration();
  yield { descriptor: manifest.config, read: () => verified(one(configuration), manifest.config) };
  yield { descriptor, read: () => verified(one(bytes), descriptor) };
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
