import { createHash, randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type Digest,
  type Image,
  ImageError,
  type Layer,
  type RetryClock,
} from '../../../src/image/index.ts';
import { writeTar } from '../../../src/tar/index.ts';
import { collect, file, sourceOf } from '../../support/stream.ts';

const sha = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** An image in memory, of noise, one file a layer or as many as asked for. */
export async function makeImage(
  sizes: readonly number[],
  options: {
    readonly compression?: 'gzip' | 'zstd';
    readonly architecture?: string;
    readonly docker?: boolean;
    /** Files that a layer's noise is spread over. */
    readonly files?: number;
  } = {},
): Promise<Image> {
  const { compression = 'gzip', architecture = 'amd64', docker = false, files = 1 } = options;
  const layers: Layer[] = [];
  const descriptors: object[] = [];
  const ids: Digest[] = [];
  for (const [i, size] of sizes.entries()) {
    const content = randomBytes(size);
    const part = Math.ceil(size / files);
    const entries = Array.from({ length: files }, (_, j) =>
      file(files === 1 ? `file-${i}` : `file-${i}-${j}`, content.subarray(j * part, (j + 1) * part)),
    );
    const tar = await collect(writeTar(sourceOf(entries)));
    const stored = compression === 'gzip' ? gzipSync(tar, { level: 1 }) : zstdCompressSync(tar);
    const descriptor = {
      mediaType: docker
        ? 'application/vnd.docker.image.rootfs.diff.tar.gzip'
        : `application/vnd.oci.image.layer.v1.tar+${compression}`,
      digest: sha(stored),
      size: stored.length,
    };
    descriptors.push(descriptor);
    ids.push(sha(tar));
    layers.push({
      descriptor: () => Promise.resolve(descriptor),
      diffId: () => Promise.resolve(sha(tar)),
      async *compressed() {
        for (let at = 0; at < stored.length; at += 65_536) yield stored.subarray(at, at + 65_536);
      },
      async *uncompressed() {
        yield tar;
      },
    });
  }
  const rootfs = { type: 'layers' as const, diff_ids: ids };
  const configuration = {
    os: 'linux',
    architecture,
    created: '2020-01-01T00:00:00Z',
    config: { Env: ['A=b'] },
    rootfs,
  };
  const raw = Buffer.from(JSON.stringify(configuration));
  const mediaType = docker
    ? 'application/vnd.docker.distribution.manifest.v2+json'
    : 'application/vnd.oci.image.manifest.v1+json';
  const config = {
    mediaType: docker
      ? 'application/vnd.docker.container.image.v1+json'
      : 'application/vnd.oci.image.config.v1+json',
    digest: sha(raw),
    size: raw.length,
  };
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: descriptors }));
  return {
    manifest: () => Promise.resolve(manifest),
    descriptor: () => Promise.resolve({ mediaType, digest: sha(manifest), size: manifest.length }),
    rawConfiguration: () => Promise.resolve(raw),
    configuration: () => Promise.resolve(configuration),
    layers: () => Promise.resolve(layers),
  };
}

/** A clock on which waiting takes no time; what was waited for is in `waits`. */
export function testClock(now = Date.UTC(2030, 0, 1)): RetryClock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    random: () => 0,
    sleep: async (milliseconds) => {
      waits.push(milliseconds);
      // A cut connection shows on both ends only after a turn.
      await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}

/** Reads all of an image, whose streams fail where anything is not what it was declared to be. */
export async function readAll(image: Image | undefined): Promise<{ manifest: Uint8Array; bytes: number }> {
  if (image === undefined) throw new ImageError('there is no such image');
  await image.configuration();
  let bytes = 0;
  for (const layer of await image.layers())
    for await (const chunk of layer.uncompressed()) bytes += chunk.length;
  return { manifest: await image.manifest(), bytes };
}
