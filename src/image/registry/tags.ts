import { collect } from '../layer/verify.ts';
import { LONGEST_MANIFEST } from '../manifest.ts';
import { familiarName, type Reference } from '../reference.ts';
import type { RegistryConnection } from './connection.ts';
import { pullScope } from './download.ts';

/** Maximum number of tags in a message. */
const NAMED = 10;

/** At most the first hundred tags of a repository, sorted; undefined if the repository does not exist. */
export async function listTags(
  connection: RegistryConnection,
  repository: string,
  signal?: AbortSignal,
): Promise<readonly string[] | undefined> {
  const { registry } = connection;
  const what = `list the tags of ${registry}/${repository}`;
  const response = await connection.send({
    method: 'GET',
    to: `${repository}/tags/list?n=100`,
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
  const isTag = (tag: unknown): tag is string => typeof tag === 'string' && /^\w[\w.-]{0,127}$/.test(tag);
  return Array.isArray(tags) ? tags.filter(isTag).sort() : [];
}

/** The message for a missing image, with the most similar tags of its repository. */
export function missingText(reference: Reference, tags: readonly string[] | undefined): string {
  const { registry, repository, tag = '' } = reference;
  if (tags === undefined) return `repository ${repository} not found in ${registry}`;
  const alike = (one: string): number => {
    let length = 0;
    while (length < one.length && one[length] === tag[length]) length++;
    return length;
  };
  const nearest = tags.toSorted((a, b) => alike(b) - alike(a)).slice(0, NAMED);
  const more = tags.length > NAMED ? ', …' : '';
  const has = nearest.length === 0 ? '' : `; tags of ${registry}/${repository}: ${nearest.join(', ')}${more}`;
  return `image ${familiarName(reference)} not found${has}`;
}
