import { createHash } from 'node:crypto';

/**
 * Version of the key scheme: which inputs a key consists of, and how. It is part of every key, so keys of
 * different schemes are never equal. In scheme 1, keys depended on the umask and owner of the checkout.
 */
export const KEY_SCHEME = 2;

/** The properties of an external image that matter to packages built on it. */
export interface BaseIdentity {
  readonly layers: readonly string[];
  readonly config: {
    readonly env: readonly string[];
    readonly os: string;
    readonly architecture: string;
    readonly variant: string;
  };
}

/**
 * Seconds since 1970. Earlier times are replaced by this one: it is 1980, the earliest time of some archive
 * formats.
 */
export const EARLIEST = 315_532_800;

/** SHA-256 in hexadecimal of a value's JSON, with maps as lists of pairs. */
export function hashOf(value: unknown): string {
  const json = JSON.stringify(value, (_, one: unknown) => (one instanceof Map ? [...one] : one));
  return createHash('sha256').update(json).digest('hex');
}

/**
 * The key of an external image: its layers and the parts of the configuration that a build uses. The same
 * image has the same key on every engine, independent of its name.
 */
export function baseKey({ layers, config }: BaseIdentity): string {
  const { env, os, architecture, variant } = config;
  return hashOf({ kind: 'base', layers, env, os, architecture, variant });
}

/** The key of a parent image made of packages: hashes of the artifacts. */
export function finalKey(artifacts: readonly string[]): string {
  return hashOf({ kind: 'final', artifacts });
}

/**
 * The key of an image built from a Dockerfile: its context, which includes the Dockerfile, and the keys of
 * its base images.
 */
export function dockerfileKey(context: string, bases: readonly string[], name: string): string {
  return hashOf({ kind: 'dockerfile', context, bases, ...(name === 'Dockerfile' ? {} : { name }) });
}

/** One file of a context, as part of a key. */
export interface InputFile {
  readonly path: string;
  /** `file`, `executable`, `directory` or `symlink`. */
  readonly type: string;
  /** SHA-256 of a file's content; a link's target; empty for a folder. */
  readonly content: string;
}

/**
 * All inputs of a node's key. Equal inputs mean that running the package again would give the same result.
 */
export interface KeyInputs {
  readonly scheme: number;
  readonly name: string;
  readonly category: string;
  readonly version: string;
  /** For example `linux/amd64`. */
  readonly platform: string;
  /** Key of the image on which the commands run. */
  readonly parent: string;
  readonly prelude: readonly string[];
  readonly steps: readonly string[];
  readonly env: readonly string[];
  /** The files beside `build.yaml`, sorted by path. */
  readonly context: readonly InputFile[];
  /** `from` is the key of the image from which the files are copied. */
  readonly copies: readonly {
    readonly source: string;
    readonly destination: string;
    readonly from: string;
  }[];
  /** Files found by `retrieve`. */
  readonly retrieved: readonly {
    readonly path: string;
    readonly sha256: string;
    /** Whether it is an archive whose content is unpacked beside it. */
    readonly unpacked?: true;
  }[];
}

/** The hash of a context's files, which is part of keys. */
export function contextHash(files: readonly InputFile[]): string {
  const hash = createHash('sha256');
  for (const { path, type, content } of files) hash.update(`${JSON.stringify([path, type, content])}\n`);
  return hash.digest('hex');
}

/**
 * The content key of a package image. Filters, descriptions, labels, folder names and times are not part of
 * it, and neither are modes and owners of the checkout, except whether a file is executable.
 */
export function nodeKey({ context, ...inputs }: KeyInputs, hash = contextHash(context)): string {
  return hashOf({ kind: 'package', ...inputs, context: hash });
}

/** Everything that determines which files of an image are in a package, and how they are written. */
export interface CutInputs {
  readonly fingerprint: string;
  /** Key of the image. */
  readonly key: string;
  readonly kind: 'delta' | 'unpack' | 'directory' | 'empty';
  readonly packageDir: string;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  /** The filters of a subpackage. */
  readonly within: { readonly includes: readonly string[]; readonly excludes: readonly string[] } | null;
  /** Latest time in seconds since 1970; later times are replaced by it. */
  readonly latest: number;
  /** Digest of the metadata of the package. */
  readonly metadata: string;
}

/**
 * The hash of these inputs. Equal hashes mean that cutting the package again would write the same files,
 * except for their compression.
 */
export function artifactHash(inputs: CutInputs): string {
  return hashOf({ artifact: KEY_SCHEME, ...inputs });
}
