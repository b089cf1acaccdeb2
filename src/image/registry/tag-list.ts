import { collect, isDigest } from '../layer/verify.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, LONGEST_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../manifest.ts';
import { familiarName, type Reference } from '../reference.ts';
import type { Digest } from '../types.ts';
import type { RegistryConnection } from './connection.ts';
import { pullScope } from './download.ts';

const accept = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(', ');

/** Tags of one answer. Registries may send fewer. */
const PAGE = 1000;

/** The digest that stands under a tag or digest, by HEAD; undefined where nothing does, and empty where the registry does not say. */
export async function headManifest(
  connection: RegistryConnection,
  reference: Reference,
  signal?: AbortSignal,
): Promise<Digest | '' | undefined> {
  const { repository, tag, digest } = reference;
  const response = await connection.send({
    method: 'HEAD',
    to: `${repository}/manifests/${digest ?? tag ?? ''}`,
    what: `tryLstat up ${familiarName(reference)}`,
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
 * Pages of a repository's tags, as the registry has them. Empty where there is no such repository. Stop reading to ask for no
 * further page.
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
      throw connection.error({ what }, `${registry} does not answer in JSON`, { cause: error });
    }
    yield Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
    const next = nextPage(response.headers.get('link'));
    if (next === undefined) return;
    if (seen.has(next)) throw connection.error({ what }, `${registry} repeats a page`);
    seen.add(next);
    to = connection.leadsTo(next, response, { what });
  }
}

/** The address of the page that follows (RFC 8288, `rel="next"`). */
function nextPage(link: string | null): string | undefined {
  return /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(link ?? '')?.[1];
}
