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

/** An image with the name that it gets where it is loaded; without one where that is empty. */
export interface NamedImage {
  readonly name: string;
  readonly image: Image;
}

/** Layer media types whose bytes every engine takes as they are: it finds out about gzip by itself, and about zstd not always. */
const loadable = /\.tar(?:[.+]gzip)?$/;

/**
 * The archive that `docker load` reads, as a stream: each image's configuration, each layer once, and `manifest.json`. Layers
 * that an engine may not read as they are stored are unpacked into the folder `temporary` first, one at a time.
 */
export function dockerArchiveOf(
  images: readonly NamedImage[],
  temporary: string,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  return writeTar(entries(images, temporary, signal));
}

async function* entries(
  images: readonly NamedImage[],
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
 * A layer as it is stored, which fails at its end where it does not unpack to that digest: Docker's containerd store only
 * finds that out when the image is used.
 */
async function* checked(
  stored: AsyncIterable<Uint8Array>,
  diffId: Digest,
): AsyncGenerator<Uint8Array, void, undefined> {
  const copy = new PassThrough();
  const measuring = measure(unpackLayer(copy));
  // What is wrong is told when it is asked for; until then nobody waits for it.
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
    if (digest !== diffId) throw new ImageError(`a layer unpacks to ${digest}, and not to ${diffId}`);
  } finally {
    copy.destroy();
  }
}
