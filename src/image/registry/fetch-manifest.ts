import { collect, digestOf } from '../layer/verify.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  type ImageManifest,
  type IndexManifest,
  LONGEST_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
  parseManifest,
} from '../manifest.ts';
import { familiarName, type Reference } from '../reference.ts';
import { type Descriptor, ImageError } from '../types.ts';
import type { RegistryConnection } from './connection.ts';
import { pullScope } from './download.ts';
import { networkText, RegistryError } from './error.ts';
import { triesOf } from './retry.ts';

const accepted = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(', ');

/** A manifest in a registry and its location. */
export interface FetchedManifest {
  readonly connection: RegistryConnection;
  readonly repository: string;
  readonly bytes: Uint8Array;
  readonly manifest: ImageManifest | IndexManifest;
}

interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Its descriptor in an index. */
  readonly listed?: Descriptor | undefined;
}

/** Fetches a manifest and verifies its digest. Undefined if it does not exist. */
export async function fetchManifest(
  connection: RegistryConnection,
  reference: Reference,
  { signal, listed }: FetchOptions = {},
): Promise<FetchedManifest | undefined> {
  const { registry, repository, tag, digest } = reference;
  const what = `pull the manifest of ${familiarName(reference)}`;
  const tries = triesOf(connection.clock, signal);
  for (;;) {
    const response = await connection.send({
      method: 'GET',
      to: `${repository}/manifests/${digest ?? tag ?? ''}`,
      what,
      scopes: [pullScope(repository)],
      accept: [200, 404],
      headers: { accept: accepted },
      signal,
    });
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    let bytes: Buffer;
    try {
      bytes = await collect(
        connection.body(response),
        listed?.size ?? LONGEST_MANIFEST,
        `the manifest of ${familiarName(reference)}`,
      );
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ImageError) throw error;
      if (await tries.again()) continue;
      throw connection.error({ what }, `the connection broke: ${networkText(error)}`);
    }
    const actual = digestOf(bytes);
    const named = digest ?? response.headers.get('docker-content-digest');
    if (named?.startsWith('sha256:') && named !== actual)
      throw new RegistryError(
        `cannot ${what}: content from ${registry} has the digest ${actual}, expected ${named}`,
      );
    const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim();
    const manifest = parseManifest(bytes, type, `the manifest of ${familiarName(reference)}`);
    return { connection, repository, bytes, manifest };
  }
}
