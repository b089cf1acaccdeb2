import { StoreError } from './errors.ts';

/** An image's name in its parts. */
export interface Name {
  /** Without what says that it is Docker's own registry or this machine. */
  readonly repository: string;
  /** A tag; or a digest, with `sha256:` before it, for a name that has one. */
  readonly tag: string;
}

const part = /^[A-Za-z0-9][A-Za-z0-9_.\-:]*$/;

/** A repository as the store keeps it: one image has one place, whichever of Docker's spellings it was named by. */
export function plainRepository(repository: string): string {
  return repository.replace(/^localhost\//, '').replace(/^docker\.io\/(?:library\/)?/, '');
}

/** The parts of a reference; the tag is `latest` where there is none. Throws a `StoreError` for what is no reference. */
export function parseName(reference: string): Name {
  const [named = '', digest] = reference.split('@', 2);
  const at = named.lastIndexOf(':');
  const hasTag = at > named.lastIndexOf('/');
  const repository = plainRepository(hasTag ? named.slice(0, at) : named);
  const tag = digest ?? (hasTag ? named.slice(at + 1) : 'latest');
  if (![...repository.split('/'), tag].every((one) => part.test(one)))
    throw new StoreError(`${reference} is no image reference`);
  return { repository, tag };
}

/** A name as one text, which `parseName` reads. */
export const formatName = ({ repository, tag }: Name): string =>
  tag.includes(':') ? `${repository}@${tag}` : `${repository}:${tag}`;

/** A part of a name as one file name. */
export const toFileName = (text: string): string => encodeURIComponent(text);

/** What a file name stands for. */
export const fromFileName = (name: string): string => decodeURIComponent(name);
