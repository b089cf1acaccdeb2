import { type Compression, compress, decompress, type ExpansionLimit } from '../../tar/index.ts';
import { ImageError } from '../types.ts';

/** Number of bytes needed to recognise every compression by its magic number. */
const LONGEST_MAGIC = 6;

const magics: readonly (readonly [magic: string, name: string])[] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['425a68', 'bzip2'],
  ['fd377a585a00', 'xz'],
  ['04224d18', 'lz4'],
];

/**
 * Skippable zstd frames can come before the first data frame, for example in estargz and zstd:chunked layers.
 */
const isSkippableFrame = (bytes: Uint8Array): boolean =>
  ((bytes[0] ?? 0) & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18;

/**
 * The compression of data that starts with these bytes. Throws an ImageError for a compression that images do
 * not use.
 */
export function compressionByMagic(start: Uint8Array): Compression {
  const hex = Buffer.from(start.subarray(0, LONGEST_MAGIC)).toString('hex');
  const name = isSkippableFrame(start) ? 'zstd' : magics.find(([magic]) => hex.startsWith(magic))?.[1];
  if (name === undefined) return 'none';
  if (name === 'gzip' || name === 'zstd') return name;
  throw new ImageError(`a layer is compressed with ${name}; expected no compression, gzip or zstd`);
}

/** The OCI media type of a layer with this compression. */
export function layerMediaType(compression: Compression): string {
  const base = 'application/vnd.oci.image.layer.v1.tar';
  return compression === 'none' ? base : `${base}+${compression}`;
}

/**
 * Media types of layers that can be unpacked: those of OCI and Docker, including non-distributable layers.
 */
const layerTypes =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?)$/;

/** Whether a media type is that of a layer that can be unpacked. */
export function isLayerMediaType(mediaType: string): boolean {
  return layerTypes.test(mediaType);
}

/** Options of `unpackLayer`. */
export interface UnpackOptions {
  /**
   * The declared media type; rejected if it is not that of a layer. Its compression is ignored and detected
   * from the data, because registries contain layers with wrong media types.
   */
  readonly mediaType?: string;
  /** Limit for the unpacked size. Default: 2 GiB plus 250 times the compressed size. */
  readonly limit?: ExpansionLimit;
}

/**
 * Unpacks a layer to a tar archive; detects the compression. Throws an ImageError if the data is damaged,
 * ends early or exceeds the limit.
 */
export async function* unpackLayer(
  source: AsyncIterable<Uint8Array>,
  options: UnpackOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { mediaType, limit } = options;
  if (mediaType !== undefined && !isLayerMediaType(mediaType))
    throw new ImageError(`unsupported media type ${JSON.stringify(mediaType)} of a layer`);
  const { compression, whole } = await sniff(source);
  try {
    yield* decompress(whole, compression, limit);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string' || !/^(?:Z_|ZSTD_)/.test(code)) throw error;
    throw new ImageError(`damaged layer: ${(error as Error).message}`, { cause: error });
  }
}

/** Compresses a tar archive for storing it as a layer. Equal archives give equal bytes. */
export function packLayer(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Buffer> {
  return compress(source, compression);
}

/** Detects the compression of a stream, and returns it with the complete stream. */
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
