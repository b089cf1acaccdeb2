import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The file name of a package's metadata. Throws where the fingerprint would lead out of the folder. */
export function metadataName(fingerprint: string): string {
  if (fingerprint === '' || /[/\0]/.test(fingerprint))
    throw new Error(`${JSON.stringify(fingerprint)} cannot be a part of a file name`);
  return `${fingerprint}.metadata.yaml`;
}

/** What an unfinished file is called. Short, whatever the name that it will have, and telling whose it is. */
export function temporaryName(runId: string, name: string): string {
  if (!/^[A-Za-z0-9._]+$/.test(runId)) throw new Error(`${JSON.stringify(runId)} is no run id`);
  return `.luet-ts-${runId}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

/**
 * Removes what runs that ended without a chance to clean up left unfinished in a destination. Which runs are over
 * is the caller's to say. A folder that is not there holds nothing.
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
