import { collect, isDigest } from '../layer/verify.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, LONGEST_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../manifest.ts';
import { familiarName, type Reference } from '../reference.ts';
import type { Digest } from '../types.ts';
import type { RegistryConnection } from './connection.ts';
import { pullScope } from './download.ts';

const accept = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(', ');

/** Number of tags to request at once. Registries may send fewer. */
const PAGE = 1000;

/**
 * The digest that a tag or digest refers to, requested with HEAD. Undefined if it does not exist, empty if
 * the registry does not report the digest.
 */
export async function headManifest(
  connection: RegistryConnection,
  reference: Reference,
  signal?: AbortSignal,
): Promise<Digest | '' | undefined> {
  const { repository, tag, digest } = reference;
  const response = await connection.send({
    method: 'HEAD',
    to: `${repository}/manifests/${digest ?? tag ?? ''}`,
    what: `look up ${familiarName(reference)}`,
    scopes: [pullScope(repository)],
    accept: [200, 404],
    headers: { accept },
    signal,
  });
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  const named = response.headers.get('docker-content-digest');
  return isDigest(named) ? named : '';
}

/**
 * The tags of a repository, page by page. Empty if the repository does not exist. The next page is requested
 * only when the caller needs it.
 */
export async function* tagPages(
  connection: RegistryConnection,
  repository: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[], void, undefined> {
  const { registry } = connection;
  const what = `list the tags of ${registry}/${repository}`;
  let to: string | URL = `${repository}/tags/list?n=${PAGE}`;
  const seen = new Set<string>();
  for (;;) {
    const response: Response = await connection.send({
      method: 'GET',
      to,
      what,
      scopes: [pullScope(repository)],
      accept: [200, 404],
      signal,
    });
    if (response.status === 404) {
      await response.body?.cancel();
      return;
    }
    const bytes = await collect(connection.body(response), LONGEST_MANIFEST, what);
    let tags: unknown;
    try {
      ({ tags } = JSON.parse(bytes.toString()) as { tags?: unknown });
    } catch (error) {
      throw connection.error({ what }, `the response of ${registry} is not JSON`, { cause: error });
    }
    yield Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
    const next = nextPage(response.headers.get('link'));
    if (next === undefined) return;
    if (seen.has(next)) throw connection.error({ what }, `${registry} sent the same page twice`);
    seen.add(next);
    to = connection.leadsTo(next, response, { what });
  }
}

/** The URL of the next page (RFC 8288, `rel="next"`). */
function nextPage(link: string | null): string | undefined {
  return /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(link ?? '')?.[1];
}
