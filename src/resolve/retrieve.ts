import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { relative } from 'node:path';
import micromatch from 'micromatch';
import { archiveName, compressions, metadataName } from '../artifact/index.ts';
import { type BytePath, fromText, toBytes } from '../tar/index.ts';
import { digestOfFile } from './context.ts';
import type { ResolvedNode, ResolvedPackage, ResolvedPlan } from './types.ts';

/** A file of the destination folder that `retrieve` names. */
export interface Retrieved {
  /** Relative to the destination. */
  readonly path: BytePath;
  readonly sha256: string;
  readonly size: number;
  /** Absolute, one byte a unit. */
  readonly real: BytePath;
}

/** The files of a folder that match globs, sorted, and the globs that match none. `ignored` are names that count as not there. */
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
  for (const name of micromatch(names, [...globs]).sort()) {
    const real = fromText(`${destination}/${name}`);
    files.push({
      path: fromText(name),
      sha256: await digestOfFile(real),
      size: lstatSync(toBytes(real)).size,
      real,
    });
  }
  return { files, unmatched: globs.filter((glob) => micromatch(names, glob).length === 0) };
}

/**
 * The files that a plan writes and that are not there yet when it comes to a node: of the package itself, and of all
 * that it does not stand on. Whether they lie in the destination all the same, from another run or because the build
 * happened to write them earlier, must not matter.
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
