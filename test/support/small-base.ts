import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformanceBase, makeBaseImage } from '../../scripts/base-image.ts';
import type { Engine } from '../../src/engine/index.ts';
import type { Image } from '../../src/image/index.ts';
import { imageOf, partsOf } from './engines/native.ts';
import { smallEngine } from './small-engine.ts';

/** Why the small engine cannot run here; false where it can. */
export const notHere: string | false =
  spawnSync('unshare', ['--fork', '--pid', '--net', 'chroot', '/', 'true']).status !== 0 &&
  'it takes root, and a kernel that lets it make namespaces';

/** Small engines that share images, `conformance/base:1` among them, in a folder that goes at the end. */
export async function smallEngines(): Promise<{ readonly engine: () => Engine; readonly end: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'small-engine-'));
  const base = await conformanceBase();
  const { bytes, diffId } = await makeBaseImage(base);
  const { layer, configuration } = await partsOf(bytes);
  const images = new Map<string, Image>([[base.reference, imageOf(layer, diffId, configuration)]]);
  const end = (): void => rmSync(folder, { recursive: true, force: true });
  return { engine: () => smallEngine(folder, images), end };
}
