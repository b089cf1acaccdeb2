import { verified } from '../layer/verify.ts';
import type { Descriptor, ReadOptions } from '../types.ts';
import type { Connection } from './connection.ts';
import { networkText } from './error.ts';
import { TRIES, triesOf } from './retry.ts';

/** Bytes after which a connection that was cut counts as a new one. */
const PROGRESS = 1024 * 1024;

/** A blob of a repository. */
export interface Blob {
  readonly connection: Connection;
  readonly repository: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
}

/** The scope of reading a repository. */
export const pullScope = (repository: string): string => `repository:${repository}:pull`;

/**
 * The bytes of a blob, which are what was declared or the stream fails. A connection that is cut is taken up where it was,
 * some times.
 */
export function download(blob: Blob, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
  return verified(pieces(blob, options), blob.descriptor);
}

async function* pieces(
  blob: Blob,
  { signal, onBytes }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { connection, repository, descriptor } = blob;
  const { digest, size } = descriptor;
  const what = `pull the blob ${digest} of ${connection.registry}/${repository}`;
  let at = 0;
  const tries = triesOf(connection.clock, signal);
  let since = 0;
  for (;;) {
    const response = await connection.send({
      method: 'GET',
      to: `${repository}/blobs/${digest}`,
      what,
      scopes: [pullScope(repository)],
      accept: at === 0 ? [200] : [200, 206],
      headers: at === 0 ? {} : { range: `bytes=${at}-` },
      signal,
    });
    let skip = 0;
    if (response.status === 206) {
      const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
      if (Number(start) !== at) {
        await response.body?.cancel();
        throw connection.error(
          { what },
          `${connection.registry} was asked for what follows byte ${at}, and sends something else`,
        );
      }
    } else {
      // It knows no ranges: what is here already comes once more.
      skip = at;
      const length = response.headers.get('content-length');
      if (length !== null && Number(length) !== size) {
        await response.body?.cancel();
        throw connection.error(
          { what },
          `${size} bytes are declared, and ${connection.registry} means to send ${Number(length)}`,
        );
      }
    }
    let failure: unknown;
    try {
      for await (const chunk of connection.body(response)) {
        const fresh = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        at += fresh.length;
        onBytes?.(fresh.length);
        yield fresh;
      }
    } catch (error) {
      signal?.throwIfAborted();
      failure = error;
    }
    // One byte too many was seen by whoever verifies.
    if (at >= size && failure === undefined) return;
    if (at === size) return;
    if (at - since >= PROGRESS) tries.restart();
    since = at;
    if (await tries.again()) continue;
    const why = failure === undefined ? 'it ended' : networkText(failure);
    throw connection.error(
      { what },
      `the connection to ${connection.registry} was cut ${TRIES} times, at last after ${at} of ${size} bytes: ${why}`,
    );
  }
}
