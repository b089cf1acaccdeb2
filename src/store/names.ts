import { StoreError } from './errors.ts';

/** The parts of an image's name. */
export interface Name {
  /** Without the prefixes for Docker's own registry and for this machine. */
  readonly repository: string;
  /** A tag, or a digest that begins with `sha256:`. */
  readonly tag: string;
}

const part = /^[A-Za-z0-9][A-Za-z0-9_.\-:]*$/;

/** A repository as the store writes it, so that all spellings that Docker allows lead to the same image. */
export function plainRepository(repository: string): string {
  return repository.replace(/^localhost\//, '').replace(/^docker\.io\/(?:library\/)?/, '');
}

/**
 * Parses a reference; the tag is `latest` where there is none. Throws a `StoreError` for an invalid
 * reference.
 */
export function parseName(reference: string): Name {
  const [named = '', digest] = reference.split('@', 2);
  const at = named.lastIndexOf(':');
  const hasTag = at > named.lastIndexOf('/');
  const repository = plainRepository(hasTag ? named.slice(0, at) : named);
  const tag = digest ?? (hasTag ? named.slice(at + 1) : 'latest');
  if (![...repository.split('/'), tag].every((one) => part.test(one)))
    throw new StoreError(`invalid image reference ${reference}`);
  return { repository, tag };
}

/** A name as text that `parseName` reads. */
export const formatName = ({ repository, tag }: Name): string =>
  tag.includes(':') ? `${repository}@${tag}` : `${repository}:${tag}`;

/** A part of a name as a file name. */
export const toFileName = (text: string): string => encodeURIComponent(text);

/** The part of a name that a file name stands for. */
export const fromFileName = (name: string): string => decodeURIComponent(name);
