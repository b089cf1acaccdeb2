import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { conformanceBase, makeBaseImage } from '../../scripts/base-image.ts';
import type { Image } from '../../src/image/index.ts';
import { engineContract } from '../engine/contract/index.ts';
import { imageOf, partsOf } from '../support/engines/native.ts';
import { smallEngine } from '../support/small-engine.ts';

// It changes roots, makes namespaces and files of any owner.
const isPossible = spawnSync('unshare', ['--fork', '--pid', '--net', 'chroot', '/', 'true']).status === 0;

if (!isPossible)
  test('the small engine', { skip: 'it takes root, and a kernel that lets it make namespaces' });
else {
  const folder = mkdtempSync(join(tmpdir(), 'small-engine-'));
  const images = new Map<string, Image>();
  before(async () => {
    const image = await conformanceBase();
    const { bytes, diffId } = await makeBaseImage(image);
    const { layer, configuration } = await partsOf(bytes);
    const { reference: name } = image;
    images.set(name, imageOf(layer, diffId, configuration));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  engineContract('the small engine', {
    engine: async () => smallEngine(folder, images),
    base: 'conformance/base:1',
    sources: ['listing'],
    hasDevices: true,
    readsAhead: false,
  });
}
