import { withoutPassword } from '../diagnostic/index.ts';
import { isDigest } from './layer/verify.ts';
import type { Digest } from './types.ts';

/** The name of an image in a registry, with Docker's defaults filled in. */
export interface Reference {
  /** Host, with a port if one was given: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** For example `library/debian`. */
  readonly repository: string;
  /** `latest` if neither a tag nor a digest was given. */
  readonly tag?: string;
  /** Digest of the manifest. It has priority over the tag. */
  readonly digest?: Digest;
}

/** The location of an image, as given on the command line or in a specification. */
export type ImageLocation =
  | { readonly kind: 'oci'; readonly path: string; readonly tag?: string }
  | { readonly kind: 'oci-archive'; readonly path: string; readonly tag?: string }
  | { readonly kind: 'docker-archive'; readonly path: string; readonly name?: Reference }
  | { readonly kind: 'rootfs'; readonly path: string }
  | { readonly kind: 'name'; readonly reference: Reference };

// Grammar of the package `reference` of the distribution project, a superset of the grammar in the
// distribution specification.
const component = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const tagForm = /^\w[\w.-]{0,127}$/;
const hostForm =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;

const LONGEST_REPOSITORY = 255;

/** Whether the first component of a name is a registry, not part of a repository on Docker Hub. */
const isHost = (first: string): boolean => /[.:[A-Z]/.test(first) || first === 'localhost';

const quote = (text: string): string => {
  const shown = withoutPassword(text);
  return JSON.stringify(shown.length > 300 ? `${shown.slice(0, 300)}…` : shown);
};

/** Parses the name of an image in a registry; returns an error message if it is invalid. */
export function parseReference(text: string): Reference | string {
  const wrong = (what: string): string => `invalid image name ${quote(text)}: ${what}`;
  if (text === '') return wrong('it is empty');
  if (/^[a-z]+:\/\//.test(text))
    return wrong(`image names have no scheme; did you mean ${quote(text.replace(/^[a-z]+:\/\//, ''))}?`);
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest))
    return wrong(`expected sha256: and 64 lower-case hexadecimal digits after the @, not ${quote(digest)}`);
  let rest = at < 0 ? text : text.slice(0, at);

  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  let registry = 'docker.io';
  if (slash >= 0 && isHost(first)) {
    if (!isHostName(first)) return wrong(`expected HOST or HOST:PORT, not ${quote(first)}`);
    registry = first === 'index.docker.io' ? 'docker.io' : first;
    rest = rest.slice(slash + 1);
  }
  const colon = rest.indexOf(':');
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (tag !== undefined && !tagForm.test(tag))
    return wrong(
      `invalid tag ${quote(tag)}: expected 1 to 128 letters, digits, ".", "_" or "-", not starting with "." or "-"`,
    );
  let repository = colon < 0 ? rest : rest.slice(0, colon);
  const problem = repositoryProblem(repository);
  if (problem !== undefined) return wrong(problem);
  if (registry === 'docker.io' && !repository.includes('/')) {
    if (/^[0-9a-f]{64}$/.test(repository))
      return wrong('64 hexadecimal digits are an image id, which registries do not know');
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
    return `the repository has ${repository.length} characters; the maximum is ${LONGEST_REPOSITORY}`;
  for (const part of repository.split('/')) {
    if (component.test(part)) continue;
    if (part === '') return 'a part between slashes, or after the last one, is empty';
    if (component.test(part.toLowerCase()))
      return `repositories must be in lower case; did you mean ${quote(repository.toLowerCase())}?`;
    return `invalid part ${quote(part)}: expected lower-case letters and digits, separated by ".", "_", "__" or dashes`;
  }
  return undefined;
}

/** The full name: `docker.io/library/debian:12`. Parsing it gives the same reference. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  const behind = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return `${registry}/${repository}${behind}`;
}

/** The short name, without Docker's defaults: `debian:12`. Parsing it gives the same reference. */
export function familiarName(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  const short = repository.replace(/^library\/(?=[^/]+$)/, '');
  // A short name that would be parsed as another name is not shortened.
  const isMistakable =
    /^[0-9a-f]{64}$/.test(short) || (short.includes('/') && isHost(short.split('/', 1)[0] ?? ''));
  const name = registry !== 'docker.io' || isMistakable ? `${registry}/${repository}` : short;
  const shown = tag === undefined || (tag === 'latest' && digest === undefined) ? '' : `:${tag}`;
  return `${name}${shown}${digest === undefined ? '' : `@${digest}`}`;
}

/**
 * Parses the location of an image; returns an error message if it is invalid. The path of an `oci:` location
 * or of an archive ends at the first colon. An image whose repository is named like one of these schemes is
 * written `docker://oci:TAG`.
 */
export function parseLocation(word: string): ImageLocation | string {
  const [, scheme, rest = ''] = /^(oci|oci-archive|docker-archive|rootfs):(.*)$/s.exec(word) ?? [];
  if (scheme === undefined) {
    const reference = parseReference(word.replace(/^docker:\/\//, ''));
    return typeof reference === 'string' ? reference : { kind: 'name', reference };
  }
  const wrong = (what: string): string => `invalid image location ${quote(word)}: ${what}`;
  const colon = scheme === 'rootfs' ? -1 : rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const name = colon < 0 ? undefined : rest.slice(colon + 1);
  if (path === '') return wrong(`missing path after ${scheme}:`);
  if (path.includes('\0')) return wrong('a path cannot contain a zero byte');
  if (scheme === 'rootfs') return { kind: 'rootfs', path };
  if (name === undefined) return { kind: scheme as 'oci' | 'oci-archive' | 'docker-archive', path };
  if (scheme === 'docker-archive') {
    const reference = parseReference(name);
    return typeof reference === 'string' ? reference : { kind: 'docker-archive', path, name: reference };
  }
  // The annotation `org.opencontainers.image.ref.name` of an OCI layout: a tag, or a full name.
  if (!/^[A-Za-z0-9]+(?:(?:[-._:@+]|--|\/)[A-Za-z0-9]+)*$/.test(name))
    return wrong(`invalid tag ${quote(name)} of an OCI layout`);
  return { kind: scheme as 'oci' | 'oci-archive', path, tag: name };
}

/** Formats a location. Parsing it gives the same location. */
export function formatLocation(place: ImageLocation): string {
  if (place.kind === 'name') return `docker://${formatReference(place.reference)}`;
  if (place.kind === 'rootfs') return `rootfs:${place.path}`;
  const name = place.kind === 'docker-archive' ? place.name && formatReference(place.name) : place.tag;
  return `${place.kind}:${place.path}${name === undefined ? '' : `:${name}`}`;
}
