import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { writeTemporaryFile } from '../../disk/index.ts';
import { type SourceEntry, writeTar } from '../../tar/index.ts';
import { unpackLayer } from '../layer/codec.ts';
import { digestOf, measure } from '../layer/verify.ts';
import { type Digest, type Image, ImageError, type Layer } from '../types.ts';

/** An image and the name it gets when it is loaded; an empty name loads it without a name. */
export interface ImageToLoad {
  readonly name: string;
  readonly image: Image;
}

/** Media types of layers that all engines load without conversion: they detect gzip, but not always zstd. */
const loadable = /\.tar(?:[.+]gzip)?$/;

/**
 * Creates the archive that `docker load` reads, as a stream: the configuration of each image, each layer
 * once, and `manifest.json`. Layers in a format that an engine might not read are first unpacked to the
 * folder `temporary`, one at a time.
 */
export function dockerArchiveOf(
  images: readonly ImageToLoad[],
  temporary: string,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  return writeTar(entries(images, temporary, signal));
}

async function* entries(
  images: readonly ImageToLoad[],
  temporary: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceEntry, void, undefined> {
  const written = new Set<Digest>();
  const manifest: object[] = [];
  for (const { name, image } of images) {
    const configuration = await image.rawConfiguration();
    const Config = `${digestOf(configuration).slice('sha256:'.length)}.json`;
    yield text(Config, configuration);
    const Layers: string[] = [];
    for (const layer of await image.layers()) {
      const diffId = await layer.diffId();
      const path = `${diffId.slice('sha256:'.length)}/layer.tar`;
      Layers.push(path);
      if (written.has(diffId)) continue;
      written.add(diffId);
      yield* layerEntries(path, layer, temporary, signal);
    }
    manifest.push({ Config, RepoTags: name === '' ? [] : [name], Layers });
  }
  yield text('manifest.json', Buffer.from(JSON.stringify(manifest)));
}

const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;

function text(path: string, bytes: Uint8Array): SourceEntry {
  return {
    entry: { ...plain, path, type: 'file', size: bytes.length },
    content: () => Readable.from([bytes]),
  };
}

async function* layerEntries(
  path: string,
  layer: Layer,
  temporary: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceEntry, void, undefined> {
  yield {
    entry: { ...plain, path: path.slice(0, path.indexOf('/')), type: 'directory', mode: 0o755, size: 0 },
  };
  const { mediaType, size } = await layer.descriptor();
  if (loadable.test(mediaType)) {
    const diffId = await layer.diffId();
    const content = (): AsyncIterable<Uint8Array> => checked(layer.compressed(signal), diffId);
    yield { entry: { ...plain, path, type: 'file', size }, content };
    return;
  }
  const file = join(temporary, path.slice(0, path.indexOf('/')));
  try {
    await writeTemporaryFile(file, layer.uncompressed(signal), { signal });
    yield {
      entry: { ...plain, path, type: 'file', size: (await stat(file)).size },
      content: () => createReadStream(file, { signal }),
    };
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * A layer as stored; the stream fails at its end if the unpacked layer has another digest. Without this,
 * Docker's containerd store would report it only when the image is used.
 */
async function* checked(
  stored: AsyncIterable<Uint8Array>,
  diffId: Digest,
): AsyncGenerator<Uint8Array, void, undefined> {
  const copy = new PassThrough();
  const measuring = measure(unpackLayer(copy));
  // The error is reported when the result is used. This prevents an unhandled rejection before that.
  const over = measuring.then(
    () => {},
    () => {},
  );
  try {
    for await (const chunk of stored) {
      yield chunk;
      if (!copy.write(chunk)) await Promise.race([once(copy, 'drain'), over]);
    }
    copy.end();
    const { digest } = await measuring;
    if (digest !== diffId)
      throw new ImageError(`unpacked layer has the digest ${digest}, expected ${diffId}`);
  } finally {
    copy.destroy();
  }
}
