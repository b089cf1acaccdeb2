import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Digest, type Image, ociLayout, Registry } from '../../../src/image/index.ts';
import { Store, StoreImages } from '../../../src/store/index.ts';
import { makeImage, readAll, testClock } from '../../image/registry/support.ts';
import { luetTs } from '../../support/cli.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { without } from '../../support/tool.ts';
import { notHere } from './support.ts';

const skip = notHere || without('docker-registry');

/** How often a pull is killed; LUET_TS_TEST_KILLS makes it more. */
const kills = Number(process.env.LUET_TS_TEST_KILLS ?? 3);

/** Points at which it is: parts of the time that it takes, spread evenly and the same in every run. */
const points = Array.from({ length: kills }, (_, i) => 0.2 + ((i * 0.618034) % 1) * 0.85);

describe(`killed at ${kills} points, a pull that is begun again gives the right bytes, and nothing is left`, {
  skip,
}, () => {
  let folder: string;
  let temporary: string;
  let registry: TestRegistry;
  let image: Image;
  let name: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'luet-ts-pull-killed-'));
    temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    registry = await startRegistry();
    name = `${registry.host}/a/killed:1`;
    image = await makeImage(
      Array.from({ length: 8 }, () => 2_000_000),
      { files: 100 },
    );
    await new Registry({ clock: testClock() }).write(name, image);
  });
  after(async () => {
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (words: readonly string[]): ChildProcess =>
    spawn(luetTs, ['image', ...words], {
      cwd: folder,
      env: { PATH: process.env.PATH, TMPDIR: temporary, HOME: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  const whole = async (words: readonly string[]): Promise<number> => {
    const from = performance.now();
    const child = start(words);
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 0, said);
    return performance.now() - from;
  };
  /** Kills the pull at each point, looks at what can be read then, pulls again, and looks at what is there. */
  const torture = async (
    words: readonly string[],
    look: (isWhole: boolean) => Promise<void>,
    forget: () => Promise<void>,
  ): Promise<void> => {
    const took = await whole(words);
    await look(true);
    await forget();
    for (const point of points) {
      const child = start(words);
      const ended = once(child, 'close');
      await Promise.race([setTimeout(point * took), ended]);
      child.kill('SIGKILL');
      await ended;
      await look(false);
      await whole(words);
      await look(true);
      // The kernel takes a moment to end what a killed process leaves.
      while (processesNaming(folder).length > 0) await setTimeout(20);
      assert.deepEqual(readdirSync(join(temporary, 'luet-ts-0')), [], `killed at ${point}`);
      await forget();
    }
  };

  test('into a store', { timeout: 600_000 }, async () => {
    const at = join(folder, 'store');
    const ids = (await image.configuration()).rootfs.diff_ids;
    const open = (): Store => new Store({ folder: at, runId: 'look', form: 'trusted' });
    let digests: Digest[] | undefined;
    await torture(
      ['pull', '--engine', 'native', '--store', at, name],
      async (isWhole) => {
        const store = open();
        const record = store.find(name);
        assert.ok(record !== undefined || !isWhole, 'the image is not there');
        if (record !== undefined) {
          assert.deepEqual(
            record.layers.map(({ diffId }) => diffId),
            ids,
          );
          // What is packed anew is what the layers hold.
          const found: Digest[] = [];
          for (const layer of record.layers)
            found.push(await new StoreImages(store, { owners: 'keep', devices: 'make' }).diffId(layer));
          digests ??= found;
          assert.deepEqual(found, digests);
        }
        await store.close();
        if (!isWhole) return;
        assert.deepEqual(readdirSync(join(at, 'runs')), []);
        assert.deepEqual(readdirSync(join(at, 'layers')).sort(), record?.layers.map(({ id }) => id).sort());
        assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(at), 'something is mounted');
      },
      async () => {
        const store = open();
        await store.remove(name);
        await store.close();
      },
    );
  });

  test('into a layout', { timeout: 600_000 }, async () => {
    const at = join(folder, 'layout');
    const { digest } = await image.descriptor();
    const blobs = [
      digest,
      (JSON.parse((await image.manifest()).toString()) as { config: { digest: string } }).config.digest,
    ];
    for (const layer of await image.layers()) blobs.push((await layer.descriptor()).digest);
    const names = blobs.map((one) => one.replace('sha256:', '')).sort();
    await torture(
      ['copy', `docker://${name}`, `oci:${at}:one`],
      async (isWhole) => {
        if (!isWhole && !existsSync(join(at, 'index.json'))) return;
        const found = await ociLayout(at).image('one');
        assert.equal((await found?.descriptor())?.digest, digest);
        await readAll(found);
        if (!isWhole) return;
        assert.deepEqual(readdirSync(at).sort(), ['blobs', 'index.json', 'oci-layout']);
        assert.deepEqual(readdirSync(join(at, 'blobs/sha256')).sort(), names);
      },
      async () => rmSync(at, { recursive: true, force: true }),
    );
  });
});

/** Processes other than this one and its own that have a folder among their words. */
function processesNaming(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return words.includes(`${folder}/store`) || words.includes(`${folder}/layout`);
    } catch {
      return false;
    }
  });
}
