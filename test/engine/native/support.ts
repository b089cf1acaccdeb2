import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformanceBase } from '../../../scripts/base-image.ts';
import { loadBase } from '../../support/engines/setup.ts';
import type { Ending } from '../../support/site.ts';

/** Why tests of the native engine cannot run here; false where they can. */
export const notHere: string | false =
  process.platform !== 'linux' || process.getuid?.() !== 0 ? 'it takes root on Linux' : false;

/** A store of its own with the base image in it, in a folder that goes with the test: its folder. */
export async function freshStore(ending: Ending, parent: string = tmpdir()): Promise<string> {
  const folder = mkdtempSync(join(parent, 'luet-ts-store-'));
  ending.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = join(folder, 'store');
  await loadBase(`native:${store}`, await conformanceBase());
  return store;
}
