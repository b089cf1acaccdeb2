import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { relative } from 'node:path';
import micromatch from 'micromatch';
import { archiveName, compressions, metadataName } from '../artifact/index.ts';
import type { Plan, PlanNode } from '../plan/index.ts';
import { fingerprint } from '../spec/index.ts';
import { type BytePath, fromText, toBytes } from '../tar/index.ts';
import { digests } from './context.ts';

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
      sha256: await digests(real),
      size: lstatSync(toBytes(real)).size,
      real,
    });
  }
  return { files, unmatched: globs.filter((glob) => micromatch(names, glob).length === 0) };
}

/**
 * The files that a plan writes and that are not there yet when it comes to a package: of the package itself, and of all
 * that it does not stand on. Whether they lie in the destination all the same, from another run or because the build
 * happened to write them earlier, must not matter.
 */
export function notYetWritten(plan: Pick<Plan, 'artifacts'>, node: PlanNode): ReadonlySet<string> {
  const names = new Set<string>();
  for (const artifact of plan.artifacts) {
    if (node.retrieveAfter.includes(artifact)) continue;
    const { definition, build } = artifact.package;
    for (const id of [definition, ...(build?.subpackages ?? [])]) {
      const print = fingerprint(id);
      names.add(metadataName(print));
      for (const compression of compressions) names.add(archiveName(print, compression));
    }
  }
  return names;
}
