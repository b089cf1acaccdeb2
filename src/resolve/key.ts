import { createHash } from 'node:crypto';

/**
 * The version of the key scheme: which inputs a key is made of, and how. It is part of every key, so a new scheme never
 * meets keys of an older one. 1 was the scheme whose keys depended on the checkout's umask and owner.
 */
export const KEY_SCHEME = 2;

/** An image from outside, as far as it matters to what is built on it. */
export interface BaseIdentity {
  readonly layers: readonly string[];
  readonly config: {
    readonly env: readonly string[];
    readonly os: string;
    readonly architecture: string;
    readonly variant: string;
  };
}

/** No time counts as earlier than 1980, where other archive formats begin; seconds since 1970. */
export const EARLIEST = 315_532_800;

/** SHA-256, in hexadecimal, of a value's JSON, in which maps are lists of pairs. */
export function hashOf(value: unknown): string {
  const json = JSON.stringify(value, (_, one: unknown) => (one instanceof Map ? [...one] : one));
  return createHash('sha256').update(json).digest('hex');
}

/**
 * The key of an image from outside: its layers and the configuration that a build sees. The same image has the same key
 * on every engine, whatever it is called there.
 */
export function baseKey({ layers, config }: BaseIdentity): string {
  const { env, os, architecture, variant } = config;
  return hashOf({ kind: 'base', layers, env, os, architecture, variant });
}

/** The key of a parent image that is made of packages: what each of them was cut from, and how. */
export function finalKey(artifacts: readonly string[]): string {
  return hashOf({ kind: 'final', artifacts });
}

/** The key of an image that a Dockerfile makes: its context, itself included, and the keys of the images it begins with. */
export function dockerfileKey(context: string, bases: readonly string[], name: string): string {
  return hashOf({ kind: 'dockerfile', context, bases, ...(name === 'Dockerfile' ? {} : { name }) });
}

/** One file of a context, as far as it matters to a key. */
export interface InputFile {
  readonly path: string;
  /** `file`, `executable`, `directory` or `symlink`. */
  readonly type: string;
  /** SHA-256 of a file's content, or a link's target; empty for a folder. */
  readonly content: string;
}

/** Everything that a node's key is made of: equal inputs mean that running the package again would do the same again. */
export interface KeyInputs {
  readonly scheme: number;
  readonly name: string;
  readonly category: string;
  readonly version: string;
  /** Such as `linux/amd64`. */
  readonly platform: string;
  /** The key of the image that the commands run on. */
  readonly parent: string;
  readonly prelude: readonly string[];
  readonly steps: readonly string[];
  readonly env: readonly string[];
  /** The files beside `build.yaml`, sorted by path. */
  readonly context: readonly InputFile[];
  /** `from` is the key of the image that the files come from. */
  readonly copies: readonly {
    readonly source: string;
    readonly destination: string;
    readonly from: string;
  }[];
  /** Files that `retrieve` found. */
  readonly retrieved: readonly {
    readonly path: string;
    readonly sha256: string;
    /** Whether it is an archive, and what is in it lies beside it. */
    readonly unpacked?: true;
  }[];
}

/** The hash of a context's files, which stands for them in a key. */
export function contextHash(files: readonly InputFile[]): string {
  const hash = createHash('sha256');
  for (const { path, type, content } of files) hash.update(`${JSON.stringify([path, type, content])}\n`);
  return hash.digest('hex');
}

/**
 * The content key of a package image. Filters, descriptions, labels, places and times have no part in it, and neither have
 * modes and owners of the checkout, but for whether a file is executable.
 */
export function nodeKey({ context, ...inputs }: KeyInputs, hash = contextHash(context)): string {
  return hashOf({ kind: 'package', ...inputs, context: hash });
}

/** What decides which files of an image a package holds, and how they are written. */
export interface CutInputs {
  readonly fingerprint: string;
  /** Key of the image. */
  readonly key: string;
  readonly kind: 'delta' | 'unpack' | 'directory' | 'empty';
  readonly packageDir: string;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  /** The expressions of a subpackage. */
  readonly within: { readonly includes: readonly string[]; readonly excludes: readonly string[] } | null;
  /** Times later than this many seconds since 1970 are written as this. */
  readonly latest: number;
  /** A digest of the metadata that goes with the files. */
  readonly metadata: string;
}

/** Equal hashes mean that cutting the package again would write the same files again, but for their compression. */
export function artifactHash(inputs: CutInputs): string {
  return hashOf({ artifact: KEY_SCHEME, ...inputs });
}
