import { createHash } from 'node:crypto';
import type { BuildSpec, PackageId } from '../spec/index.ts';

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

/** SHA-256, in hexadecimal, of a value's JSON. */
function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/**
 * The key of an image from outside: its layers and the configuration that a build sees. The same image has the same key
 * on every engine, whatever it is called there.
 */
export function baseKey({ layers, config }: BaseIdentity): string {
  const { env, os, architecture, variant } = config;
  return hash({ kind: 'base', layers, env, os, architecture, variant });
}

/** The key of a parent image that is made of packages: what each of them was cut from, and how. */
export function finalKey(artifacts: readonly string[]): string {
  return hash({ kind: 'final', artifacts });
}

/** What one run of a package's prelude and steps depends on, besides its spec. */
export interface KeyInputs {
  readonly parent: string;
  /** Such as `linux/amd64`. */
  readonly platform: string;
  /** Of the files beside `build.yaml`. */
  readonly context: string;
  /** Keys of what `copy` entries come from, in their order. */
  readonly copies: readonly string[];
  /** Files that `retrieve` found. */
  readonly retrieved: readonly { readonly name: string; readonly sha256: string }[];
}

/**
 * The content key of a package image: equal keys mean that running the package again would do the same again. Filters,
 * descriptions, labels, places and times have no part in it.
 */
export function nodeKey(pack: PackageId, build: BuildSpec, inputs: KeyInputs): string {
  const { name, category, version } = pack;
  return hash({
    kind: 'package',
    name,
    category,
    version,
    ...inputs,
    prelude: build.prelude.map(({ value }) => value),
    steps: build.steps.map(({ value }) => value),
    env: build.env.map(({ value }) => value),
    copies: build.copy.map(({ source, destination }, at) => ({
      source,
      destination,
      from: inputs.copies[at],
    })),
  });
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
  /** The metadata that goes with the files, as text. */
  readonly metadata: string;
}

/** Equal hashes mean that cutting the package again would write the same files again, but for their compression. */
export function artifactHash(inputs: CutInputs): string {
  return hash({ artifact: 2, ...inputs });
}
