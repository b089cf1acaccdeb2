import { readdirSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { archiveName, compressions, metadataName } from '../artifact/index.ts';
import type { ResolvedPlan } from '../resolve/index.ts';
import { type BytePath, fromText, toBytes } from '../tar/index.ts';

/** Folders that a build writes to. */
export interface OutputFolders {
  /** Absolute path of the folder that packages are written to. */
  readonly destination: string;
  /** Absolute paths of luet-ts's own folders: a store, temporary files, logs. */
  readonly ownFolders?: readonly string[] | undefined;
}

/**
 * Says of an absolute path whether a build of a plan writes it. What it writes is not part of what it reads: a destination
 * below a package's folder is left out of the context as a whole; of one that is a package's folder itself, the files that
 * the plan writes and unfinished files are.
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
    // A folder that is only there for what is written below it was made with it.
    if (![...whole].some((one) => one.startsWith(`${path}/`))) return false;
    return readdirSync(toBytes(path), 'latin1').every((name) => isOutput(`${path}/${name}`));
  };
  return isOutput;
}

/** A path without symbolic links, where it exists. */
function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
