import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** File name of a package's metadata. Throws if the fingerprint is not a valid part of a file name. */
export function metadataName(fingerprint: string): string {
  if (fingerprint === '' || /[/\0]/.test(fingerprint))
    throw new Error(`${JSON.stringify(fingerprint)} is not valid in a file name`);
  return `${fingerprint}.metadata.yaml`;
}

/** Name of a temporary file: short even if the final name is long, and with the id of its run. */
export function temporaryName(runId: string, name: string): string {
  if (!/^[A-Za-z0-9._]+$/.test(runId)) throw new Error(`invalid run id ${JSON.stringify(runId)}`);
  return `.luet-ts-${runId}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

/**
 * Removes temporary files of runs that were killed from a destination. `isOver` says whether a run has ended.
 * A missing folder is treated as empty.
 */
export async function removeUnfinished(folder: string, isOver: (runId: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    const runId = /^\.luet-ts-([A-Za-z0-9._]+)-[0-9a-f]{16}$/.exec(name)?.[1];
    if (runId !== undefined && isOver(runId)) await rm(join(folder, name), { force: true });
  }
}
