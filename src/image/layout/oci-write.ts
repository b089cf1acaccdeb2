import { writeFile } from '../../disk/index.ts';
import { type SourceEntry, writeTar } from '../../tar/index.ts';
import type { Image, ImageSink } from '../types.ts';
import { blobsOf } from './blobs.ts';
import { LAYOUT, withImage } from './oci.ts';
import { blobName } from './stored.ts';

const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;

/** The archive of an OCI layout with one image, as a stream. Equal images give equal bytes. */
export function ociArchiveOf(name: string, image: Image, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  return writeTar(entries(name, image, signal));
}

async function* entries(
  name: string,
  image: Image,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceEntry, void, undefined> {
  yield text('oci-layout', LAYOUT);
  for (const path of ['blobs', 'blobs/sha256'])
    yield { entry: { ...plain, path, type: 'directory', mode: 0o755, size: 0 } };
  for await (const { descriptor, read } of blobsOf(image)) {
    const { digest, size } = descriptor;
    yield {
      entry: { ...plain, path: blobName(digest), type: 'file', size },
      content: () => streamed(read(signal)),
    };
  }
  yield text('index.json', withImage({}, name, await image.descriptor()));
}

const text = (path: string, bytes: Buffer): SourceEntry => ({
  entry: { ...plain, path, type: 'file', size: bytes.length },
  content: () => streamed([bytes]),
});

async function* streamed(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}

/** Writes an OCI layout with one image to a tar archive (`oci-archive:PATH`). */
export function ociArchiveSink(path: string): ImageSink {
  return {
    async write(name, image, options = {}) {
      const descriptor = await image.descriptor();
      await writeFile(path, () => ociArchiveOf(name, image, options.signal), options);
      return descriptor;
    },
  };
}
