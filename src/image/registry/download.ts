import { verified } from '../layer/verify.ts';
import type { Descriptor, ReadOptions } from '../types.ts';
import type { RegistryConnection } from './connection.ts';
import { networkText } from './error.ts';
import { TRIES, triesOf } from './retry.ts';

/** After this many bytes, the number of attempts starts again. */
const PROGRESS = 1024 * 1024;

/** A blob of a repository. */
export interface RemoteBlob {
  readonly connection: RegistryConnection;
  readonly repository: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
}

/** The scope for reading a repository. */
export const pullScope = (repository: string): string => `repository:${repository}:pull`;

/**
 * Downloads a blob and verifies it. A broken connection is resumed at the same position, a limited number of
 * times.
 */
export function download(blob: RemoteBlob, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
  return verified(pieces(blob, options), blob.descriptor);
}

async function* pieces(
  blob: RemoteBlob,
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
          `${connection.registry} sent another range than the requested one from byte ${at}`,
        );
      }
    } else {
      // The server does not support ranges, so the bytes that were already received come again.
      skip = at;
      const length = response.headers.get('content-length');
      if (length !== null && Number(length) !== size) {
        await response.body?.cancel();
        throw connection.error(
          { what },
          `${connection.registry} announced ${Number(length)} bytes, but the declared size is ${size}`,
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
    // Surplus bytes are reported by the verification.
    if (at >= size && failure === undefined) return;
    if (at === size) return;
    if (at - since >= PROGRESS) tries.restart();
    since = at;
    if (await tries.again()) continue;
    const why = failure === undefined ? 'it ended' : networkText(failure);
    throw connection.error(
      { what },
      `the connection to ${connection.registry} broke ${TRIES} times, the last time after ${at} of ${size} bytes: ${why}`,
    );
  }
}
