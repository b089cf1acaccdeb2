import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { posix, relative } from 'node:path';
import { archiveName, compressions, metadataName } from '../artifact/index.ts';
import type { Diagnostic, Place } from '../diagnostic/index.ts';
import { type CompiledGlob, compileGlob } from '../spec/index.ts';
import { type BytePath, fromText, toBytes, toText } from '../tar/index.ts';
import { digestOfFile } from './context.ts';
import type { PlanIndex } from './plan-index.ts';
import type { ResolvedNode, ResolvedPackage, ResolvedPlan } from './types.ts';
import { isDamage, MissingProgram, type Packing, packingOf } from './unpack.ts';

/** A file of the destination folder that `retrieve` found. */
export interface Retrieved {
  /** Path relative to the destination. */
  readonly path: BytePath;
  readonly sha256: string;
  readonly size: number;
  /** Absolute path, one byte in each UTF-16 unit. */
  readonly real: BytePath;
  /** The compression, if the file is an archive that is also unpacked. */
  readonly packing?: Packing | undefined;
}

/** Thrown if a file cannot be retrieved completely. */
export class RetrieveError extends Error {
  override readonly name = 'RetrieveError';
  readonly hint: string | undefined;

  constructor(file: BytePath, error: Error) {
    super(`cannot unpack ${toText(file)}: ${error.message}`, { cause: error });
    this.hint =
      error instanceof MissingProgram
        ? `Install ${error.program} (apt-get install ${error.package})`
        : undefined;
  }
}

/**
 * The files of a folder that match globs, sorted, and the globs that match nothing. Names in `ignored` are
 * treated as missing. Rejects with a `RetrieveError`.
 */
export async function retrieve(
  destination: string,
  globs: readonly string[],
  ignored: ReadonlySet<string>,
): Promise<{ files: Retrieved[]; unmatched: string[] }> {
  const entries = await readdir(destination, { withFileTypes: true, recursive: true }).catch(() => []);
  const names = entries
    .filter((one) => one.isFile() && !one.name.startsWith('.luet-ts'))
    .map((one) => relative(destination, `${one.parentPath}/${one.name}`))
    .filter((name) => !ignored.has(name));
  const files: Retrieved[] = [];
  const compiled = globs.map((glob) => compileGlob(posix.normalize(glob).replace(/^\/+/, '')));
  const isMeant = (glob: CompiledGlob, name: string): boolean => 'matches' in glob && glob.matches(name);
  const meant = names.filter((name) => compiled.some((glob) => isMeant(glob, name)));
  for (const name of meant.sort()) {
    const path = fromText(name);
    const real = fromText(`${destination}/${name}`);
    const packing = await packingOf(real).catch((error: unknown) => {
      const isKnown = error instanceof MissingProgram || isDamage(error);
      throw isKnown ? new RetrieveError(path, error as Error) : error;
    });
    files.push({
      path,
      sha256: await digestOfFile(real),
      size: lstatSync(toBytes(real)).size,
      real,
      packing,
    });
  }
  const unmatched = globs.filter((_, at) => {
    const glob = compiled[at];
    return glob === undefined || !names.some((name) => isMeant(glob, name));
  });
  return { files, unmatched };
}

/** The files found by a node's `retrieve`, and the problems. */
export interface RetrievedFiles {
  readonly files: readonly Retrieved[];
  readonly problems: readonly Diagnostic[];
}

/**
 * Finds the files that a node's package retrieves. Files that the plan writes later are treated as missing.
 */
export async function retrieveFor(
  index: PlanIndex,
  node: ResolvedNode,
  destination: string,
): Promise<RetrievedFiles> {
  const { key, retrieve: globs } = index.package(node.package);
  if (globs.length === 0) return { files: [], problems: [] };
  const problem = (code: string, message: string, place: Place, hint?: string): Diagnostic => ({
    code,
    severity: 'error',
    message: `retrieve: ${message}`,
    place,
    package: key,
    ...(hint === undefined ? {} : { hint }),
  });
  try {
    const texts = globs.map(({ value }) => value);
    const { files, unmatched } = await retrieve(destination, texts, notYetWritten(index.plan, node));
    const bad = globs.filter(({ value }) => unmatched.includes(value));
    const problems = bad.map(({ value, place }) =>
      problem('nothing-to-retrieve', `no file in the destination folder matches ${value}`, place),
    );
    return { files, problems };
  } catch (error) {
    if (!(error instanceof RetrieveError)) throw error;
    const [{ place } = { place: index.package(node.package).buildPlace }] = globs;
    return { files: [], problems: [problem('unreadable-archive', error.message, place, error.hint)] };
  }
}

/**
 * The files that the plan writes, but that a node must not see: those of its own package, and of all packages
 * that it is not built on. They are ignored even if they already exist, from another run or because the build
 * wrote them early; otherwise the result would depend on timing.
 */
export function notYetWritten(
  {
    artifacts,
    packages,
  }: Pick<ResolvedPlan, 'artifacts'> & {
    readonly packages: readonly Pick<ResolvedPackage, 'key' | 'outputs'>[];
  },
  node: Pick<ResolvedNode, 'retrieveAfter'>,
): ReadonlySet<string> {
  const written = new Set(node.retrieveAfter);
  const planned = new Set(artifacts.map((artifact) => artifact.package));
  const names = new Set<string>();
  for (const { key, outputs } of packages) {
    if (written.has(key) || !planned.has(key)) continue;
    for (const { fingerprint } of outputs) {
      names.add(metadataName(fingerprint));
      for (const compression of compressions) names.add(archiveName(fingerprint, compression));
    }
  }
  return names;
}
