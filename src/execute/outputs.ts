import { readdirSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { archiveName, compressions, metadataName } from '../artifact/index.ts';
import type { ResolvedPlan } from '../resolve/index.ts';
import { type BytePath, fromText, toBytes } from '../tar/index.ts';

/** Folders to which a build writes. */
export interface OutputFolders {
  /** Absolute path of the destination folder for packages. */
  readonly destination: string;
  /** Absolute paths of the folders that luet-ts itself uses: a store, temporary files, logs. */
  readonly ownFolders?: readonly string[] | undefined;
}

/**
 * Returns a function that says whether a build of a plan writes an absolute path. Such paths are not part of
 * contexts: a destination below a package's folder is left out completely; if the destination is the
 * package's folder itself, only the files of the plan and temporary files are left out.
 */
export function outputsOf(
  plan: Pick<ResolvedPlan, 'packages' | 'artifacts'>,
  { destination, ownFolders = [] }: OutputFolders,
): (path: BytePath) => boolean {
  const packageFolders = new Set(plan.packages.map(({ folder }) => real(folder)));
  const into = real(destination);
  const whole = new Set(ownFolders.map((folder) => fromText(real(folder))));
  if (!packageFolders.has(into)) whole.add(fromText(into));
  const names = new Set<BytePath>();
  for (const { outputs } of plan.packages)
    for (const { fingerprint } of outputs) {
      names.add(fromText(metadataName(fingerprint)));
      for (const compression of compressions) names.add(fromText(archiveName(fingerprint, compression)));
    }
  const prefix = fromText(into.endsWith(sep) ? into : `${into}${sep}`);
  const isOutput = (path: BytePath): boolean => {
    if (whole.has(path)) return true;
    if (path.startsWith(prefix)) {
      const name = path.slice(prefix.length);
      return names.has(name) || /^\.luet-ts-[^/]*$/.test(name);
    }
    // A folder that exists only as a parent of the destination was created together with it.
    if (![...whole].some((one) => one.startsWith(`${path}/`))) return false;
    return readdirSync(toBytes(path), 'latin1').every((name) => isOutput(`${path}/${name}`));
  };
  return isOutput;
}

/** A path with its symbolic links resolved, if it exists. */
function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
