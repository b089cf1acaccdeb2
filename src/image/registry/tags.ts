import { familiarName, type Reference } from '../reference.ts';
import type { RegistryConnection } from './connection.ts';
import { readTagPage } from './tag-list.ts';

/** Maximum number of tags in a message. */
const NAMED = 10;

/** At most the first hundred tags of a repository, sorted; undefined if the repository does not exist. */
export async function listTags(
  connection: RegistryConnection,
  repository: string,
  signal?: AbortSignal,
): Promise<readonly string[] | undefined> {
  const page = await readTagPage(connection, repository, `${repository}/tags/list?n=100`, signal);
  return page?.tags.filter((tag) => /^\w[\w.-]{0,127}$/.test(tag)).sort();
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
