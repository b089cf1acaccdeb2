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
  let page = await readTagPage(connection, repository, `${repository}/tags/list?n=${PAGE}`, signal);
  const seen = new Set<string>();
  while (page !== undefined) {
    yield page.tags;
    const { next } = page;
    if (next === undefined) return;
    if (seen.has(next.href)) {
      const what = `list the tags of ${connection.registry}/${repository}`;
      throw connection.error({ what }, `${connection.registry} sent the same page twice`);
    }
    seen.add(next.href);
    page = await readTagPage(connection, repository, next, signal);
  }
}

/** One response to a request for the tags of a repository. */
interface TagPage {
  readonly tags: readonly string[];
  /** The URL of the next page, if there is one. */
  readonly next: URL | undefined;
}

/** Requests one page of a repository's tags. Undefined if the repository does not exist. */
export async function readTagPage(
  connection: RegistryConnection,
  repository: string,
  to: string | URL,
  signal?: AbortSignal,
): Promise<TagPage | undefined> {
  const { registry } = connection;
  const what = `list the tags of ${registry}/${repository}`;
  const response = await connection.send({
    method: 'GET',
    to,
    what,
    scopes: [pullScope(repository)],
    accept: [200, 404],
    signal,
  });
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  const list = `the list of tags of ${registry}/${repository}`;
  const bytes = await collect(connection.body(response), LONGEST_MANIFEST, list);
  let tags: unknown;
  try {
    ({ tags } = JSON.parse(bytes.toString()) as { tags?: unknown });
  } catch (error) {
    throw connection.error({ what }, `the response of ${registry} is not JSON`, { cause: error });
  }
  const next = nextPage(response.headers.get('link'));
  return {
    tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [],
    next: next === undefined ? undefined : connection.leadsTo(next, response, { what }),
  };
}

/** The URL of the next page (RFC 8288, `rel="next"`). */
function nextPage(link: string | null): string | undefined {
  return /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(link ?? '')?.[1];
}
