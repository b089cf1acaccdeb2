import { withoutPassword } from '../diagnostic/index.ts';
import { isDigest } from './layer/verify.ts';
import type { Digest } from './types.ts';

/** The name of an image in a registry, with Docker's defaults filled in. */
export interface Reference {
  /** Host, with a port where one was given: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Such as `library/debian`. */
  readonly repository: string;
  /** `latest` where neither a tag nor a digest was given. */
  readonly tag?: string;
  /** The manifest's. It is what counts where there is a tag too. */
  readonly digest?: Digest;
}

/** The place that a word of a command line or a specification means. */
export type Place =
  | { readonly kind: 'oci'; readonly path: string; readonly tag?: string }
  | { readonly kind: 'oci-archive'; readonly path: string; readonly tag?: string }
  | { readonly kind: 'docker-archive'; readonly path: string; readonly name?: Reference }
  | { readonly kind: 'rootfs'; readonly path: string }
  | { readonly kind: 'name'; readonly reference: Reference };

// The grammar of the distribution project's package `reference`, which the distribution specification's is part of.
const component = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const tagForm = /^\w[\w.-]{0,127}$/;
const hostForm =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;

const LONGEST_REPOSITORY = 255;

/** Whether a name's first component is a registry, and not part of a repository of Docker Hub. */
const isHost = (first: string): boolean => /[.:[A-Z]/.test(first) || first === 'localhost';

const quote = (text: string): string => {
  const shown = withoutPassword(text);
  return JSON.stringify(shown.length > 300 ? `${shown.slice(0, 300)}…` : shown);
};

/** The name of an image in a registry, or a sentence that says what is wrong with it. */
export function parseReference(text: string): Reference | string {
  const wrong = (what: string): string => `${quote(text)} is no name of an image: ${what}`;
  if (text === '') return wrong('it is empty');
  if (/^[a-z]+:\/\//.test(text))
    return wrong(`names have no scheme; did you mean ${quote(text.replace(/^[a-z]+:\/\//, ''))}?`);
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest))
    return wrong(`behind the @ stands ${quote(digest)}, not sha256: and 64 hexadecimal digits in lower case`);
  let rest = at < 0 ? text : text.slice(0, at);

  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  let registry = 'docker.io';
  if (slash >= 0 && isHost(first)) {
    if (!isHostName(first)) return wrong(`${quote(first)} is no host, nor a host with a port`);
    registry = first === 'index.docker.io' ? 'docker.io' : first;
    rest = rest.slice(slash + 1);
  }
  const colon = rest.indexOf(':');
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (tag !== undefined && !tagForm.test(tag))
    return wrong(
      `the tag ${quote(tag)} is not 1 to 128 letters, digits, ".", "_" and "-", of which "." and "-" may not be first`,
    );
  let repository = colon < 0 ? rest : rest.slice(0, colon);
  const problem = repositoryProblem(repository);
  if (problem !== undefined) return wrong(problem);
  if (registry === 'docker.io' && !repository.includes('/')) {
    if (/^[0-9a-f]{64}$/.test(repository))
      return wrong('64 hexadecimal digits are an id, which no registry knows');
    repository = `library/${repository}`;
  }
  return {
    registry,
    repository,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

function isHostName(text: string): boolean {
  const port = Number(/:([0-9]+)$/.exec(text)?.[1] ?? 1);
  return hostForm.test(text) && port > 0 && port < 65_536;
}

function repositoryProblem(repository: string): string | undefined {
  if (repository === '') return 'the repository is missing';
  if (repository.length > LONGEST_REPOSITORY)
    return `the repository has ${repository.length} characters, and may have ${LONGEST_REPOSITORY}`;
  for (const part of repository.split('/')) {
    if (component.test(part)) continue;
    if (part === '') return 'there is nothing between two slashes, or behind the last one';
    if (component.test(part.toLowerCase()))
      return `repositories are in lower case; did you mean ${quote(repository.toLowerCase())}?`;
    return `${quote(part)} is not lower-case letters and digits, with ".", "_", "__" or dashes between them`;
  }
  return undefined;
}

/** A name in full: `docker.io/library/debian:12`. Parsing it gives the same reference. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  const behind = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return `${registry}/${repository}${behind}`;
}

/** A name as people write it, without what Docker fills in: `debian:12`. Parsing it gives the same reference. */
export function familiarName(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  const short = repository.replace(/^library\/(?=[^/]+$)/, '');
  // What would be read as another name stays as it is.
  const isMistakable =
    /^[0-9a-f]{64}$/.test(short) || (short.includes('/') && isHost(short.split('/', 1)[0] ?? ''));
  const name = registry !== 'docker.io' || isMistakable ? `${registry}/${repository}` : short;
  const shown = tag === undefined || (tag === 'latest' && digest === undefined) ? '' : `:${tag}`;
  return `${name}${shown}${digest === undefined ? '' : `@${digest}`}`;
}

/**
 * The place that a word means, or a sentence that says what is wrong with it. A path of an `oci:` or of an archive ends at
 * the first colon. An image whose repository is called like one of these words is written `docker://oci:TAG`.
 */
export function parsePlace(word: string): Place | string {
  const [, scheme, rest = ''] = /^(oci|oci-archive|docker-archive|rootfs):(.*)$/s.exec(word) ?? [];
  if (scheme === undefined) {
    const reference = parseReference(word.replace(/^docker:\/\//, ''));
    return typeof reference === 'string' ? reference : { kind: 'name', reference };
  }
  const wrong = (what: string): string => `${quote(word)} names no place of images: ${what}`;
  const colon = scheme === 'rootfs' ? -1 : rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const name = colon < 0 ? undefined : rest.slice(colon + 1);
  if (path === '') return wrong(`the path behind ${scheme}: is missing`);
  if (path.includes('\0')) return wrong('a path has no zero byte');
  if (scheme === 'rootfs') return { kind: 'rootfs', path };
  if (name === undefined) return { kind: scheme as 'oci' | 'oci-archive' | 'docker-archive', path };
  if (scheme === 'docker-archive') {
    const reference = parseReference(name);
    return typeof reference === 'string' ? reference : { kind: 'docker-archive', path, name: reference };
  }
  // The annotation `org.opencontainers.image.ref.name` of an OCI layout: a tag, or a whole name.
  if (!/^[A-Za-z0-9]+(?:(?:[-._:@+]|--|\/)[A-Za-z0-9]+)*$/.test(name))
    return wrong(`${quote(name)} is no tag of an OCI layout`);
  return { kind: scheme as 'oci' | 'oci-archive', path, tag: name };
}

/** The word for a place. Parsing it gives the same place. */
export function formatPlace(place: Place): string {
  if (place.kind === 'name') return `docker://${formatReference(place.reference)}`;
  if (place.kind === 'rootfs') return `rootfs:${place.path}`;
  const name = place.kind === 'docker-archive' ? place.name && formatReference(place.name) : place.tag;
  return `${place.kind}:${place.path}${name === undefined ? '' : `:${name}`}`;
}
