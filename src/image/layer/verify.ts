import { createHash } from 'node:crypto';
import { type Digest, ImageError } from '../types.ts';

/** What bytes were declared to be. */
export interface Declared {
  readonly digest: Digest;
  /** Bytes; where it is not known, only the digest is checked. */
  readonly size?: number;
}

/** What bytes turned out to be. */
export interface Measured {
  readonly digest: Digest;
  readonly size: number;
}

const digestForm = /^sha256:[0-9a-f]{64}$/;

/** Whether a text is a digest as luet-ts takes it: SHA-256, which every registry has. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && digestForm.test(text);
}

/** The text as a digest. Throws an ImageError where it is none, naming `what` it was meant to be. */
export function parseDigest(text: unknown, what: string): Digest {
  if (isDigest(text)) return text;
  throw new ImageError(`${what} is ${JSON.stringify(text)}, which is no sha256 digest`);
}

/** The digest of these bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * The bytes of a stream, which fails with an ImageError where they are not what was declared: at the end where the digest
 * differs or bytes are missing, and before the first byte that is one too many. Closes the source in every case.
 */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  declared: Declared,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (declared.size !== undefined && size > declared.size)
      throw new ImageError(`${declared.digest} has more than the ${declared.size} bytes that were declared`);
    hash.update(chunk);
    yield chunk;
  }
  if (declared.size !== undefined && size < declared.size)
    throw new ImageError(`${declared.digest} ends after ${size} of ${declared.size} bytes`);
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== declared.digest)
    throw new ImageError(`${declared.digest} holds bytes whose digest is ${digest}`);
}

/** The bytes of a stream; when all of them were read, `done` is told what they were. */
export async function* measured(
  source: AsyncIterable<Uint8Array>,
  done: (result: Measured) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    hash.update(chunk);
    yield chunk;
  }
  done({ digest: `sha256:${hash.digest('hex')}`, size });
}

/** Reads a stream to its end and says what its bytes were. */
export async function measure(source: AsyncIterable<Uint8Array>): Promise<Measured> {
  let result: Measured | undefined;
  for await (const _ of measured(source, (value) => (result = value)));
  if (result === undefined) throw new Error('a stream that ended was not measured');
  return result;
}

/** All bytes of a stream, of which there may be `limit` at most. Throws an ImageError, naming `what`, where there are more. */
export async function collect(
  source: AsyncIterable<Uint8Array>,
  limit: number,
  what: string,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw new ImageError(`${what} is longer than ${limit} bytes`);
    // A copy: the source may use a chunk's memory again.
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks, size);
}
