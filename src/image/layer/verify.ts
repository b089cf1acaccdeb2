import { createHash } from 'node:crypto';
import { type Digest, ImageError } from '../types.ts';

/** Declared digest and size of data. */
export interface ExpectedContent {
  readonly digest: Digest;
  /** Size in bytes. If it is unknown, only the digest is checked. */
  readonly size?: number;
}

/** Actual digest and size of data. */
export interface Measured {
  readonly digest: Digest;
  readonly size: number;
}

const digestForm = /^sha256:[0-9a-f]{64}$/;

/** Whether a text is a supported digest: SHA-256, which all registries use. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && digestForm.test(text);
}

/** Checks a digest. Throws an ImageError that names `what` if it is invalid. */
export function parseDigest(text: unknown, what: string): Digest {
  if (isDigest(text)) return text;
  throw new ImageError(`invalid digest of ${what}: ${JSON.stringify(text)}; expected sha256`);
}

/** The digest of these bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * Passes a stream through and verifies it. Throws an ImageError at the end if the digest differs or bytes are
 * missing, and before the first byte beyond the declared size. Always closes the source.
 */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  declared: ExpectedContent,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (declared.size !== undefined && size > declared.size)
      throw new ImageError(`${declared.digest} is larger than the declared ${declared.size} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  if (declared.size !== undefined && size < declared.size)
    throw new ImageError(`${declared.digest} ended after ${size} of ${declared.size} bytes`);
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== declared.digest)
    throw new ImageError(`content of ${declared.digest} has the digest ${digest}`);
}

/** Passes a stream through; calls `done` with its digest and size after the last byte. */
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

/** Reads a stream to its end and returns its digest and size. */
export async function measure(source: AsyncIterable<Uint8Array>): Promise<Measured> {
  let result: Measured | undefined;
  for await (const _ of measured(source, (value) => (result = value)));
  if (result === undefined) throw new Error('internal error: a stream was not measured');
  return result;
}

/**
 * Collects all bytes of a stream. Throws an ImageError that names `what` if there are more than `limit`
 * bytes.
 */
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
    // Copy, because the source may reuse the chunk's memory.
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks, size);
}
