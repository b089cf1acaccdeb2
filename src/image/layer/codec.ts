import { type Compression, compress, decompress, type ExpansionLimit } from '../../tar/index.ts';
import { ImageError } from '../types.ts';

/** Bytes enough to know every compression by its magic number. */
const LONGEST_MAGIC = 6;

const magics: readonly (readonly [magic: string, name: string])[] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['425a68', 'bzip2'],
  ['fd377a585a00', 'xz'],
  ['04224d18', 'lz4'],
];

/** Skippable frames may stand before zstd's own; such as those with which estargz and zstd:chunked begin. */
const isSkippableFrame = (bytes: Uint8Array): boolean =>
  ((bytes[0] ?? 0) & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18;

/** How bytes that begin like this are compressed. Throws an ImageError where it is a way that images do not have. */
export function compressionByMagic(start: Uint8Array): Compression {
  const hex = Buffer.from(start.subarray(0, LONGEST_MAGIC)).toString('hex');
  const name = isSkippableFrame(start) ? 'zstd' : magics.find(([magic]) => hex.startsWith(magic))?.[1];
  if (name === undefined) return 'none';
  if (name === 'gzip' || name === 'zstd') return name;
  throw new ImageError(`a layer is compressed with ${name}; layers are plain, gzip or zstd`);
}

/** The media type of a layer that is compressed in this way (OCI image layer). */
export function layerMediaType(compression: Compression): string {
  const base = 'application/vnd.oci.image.layer.v1.tar';
  return compression === 'none' ? base : `${base}+${compression}`;
}

/** Media types that luet-ts can unpack: OCI's and Docker's layers, also those that must not be pushed elsewhere. */
const layerTypes =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?)$/;

/** Whether a media type is that of a layer that can be unpacked. */
export function isLayerMediaType(mediaType: string): boolean {
  return layerTypes.test(mediaType);
}

/** How a layer is unpacked. */
export interface UnpackOptions {
  /** Refused where it is no layer's. Which compression it names is not believed: bytes tell that, and registries hold layers that are named wrongly. */
  readonly mediaType?: string;
  /** How much may come out; 2 GiB, or 250 times of what went in, where absent. */
  readonly limit?: ExpansionLimit;
}

/**
 * The tar archive in a layer, however it is compressed. Fails with an ImageError where the bytes are damaged, end early, or give
 * more than the limit.
 */
export async function* unpackLayer(
  source: AsyncIterable<Uint8Array>,
  options: UnpackOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { mediaType, limit } = options;
  if (mediaType !== undefined && !isLayerMediaType(mediaType))
    throw new ImageError(`a layer has the media type ${JSON.stringify(mediaType)}, which cannot be unpacked`);
  const { compression, whole } = await sniff(source);
  try {
    yield* decompress(whole, compression, limit);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string' || !/^(?:Z_|ZSTD_)/.test(code)) throw error;
    throw new ImageError(`a layer is damaged: ${(error as Error).message}`, { cause: error });
  }
}

/** A tar archive as a layer is stored. Equal archives give equal bytes. */
export function packLayer(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Buffer> {
  return compress(source, compression);
}

/** How a stream is compressed, and the stream from its beginning. */
async function sniff(
  source: AsyncIterable<Uint8Array>,
): Promise<{ compression: Compression; whole: AsyncIterable<Uint8Array> }> {
  const chunks = source[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  let isAtEnd = false;
  const close = async (): Promise<void> => {
    if (!isAtEnd) await chunks.return?.();
  };
  async function* whole(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (start.length > 0) yield start;
      while (!isAtEnd) {
        const { done, value } = await chunks.next();
        isAtEnd = done === true;
        if (!done) yield value;
      }
    } finally {
      await close();
    }
  }
  try {
    while (start.length < LONGEST_MAGIC && !isAtEnd) {
      const { done, value } = await chunks.next();
      isAtEnd = done === true;
      if (!done) start = Buffer.concat([start, value]);
    }
    return { compression: compressionByMagic(start), whole: whole() };
  } catch (error) {
    await close();
    throw error;
  }
}
