/**
 * What pulling and pushing a big image costs: `node bench/registry.ts [FILES]`. The image has 27 000 files (or as many as are asked
 * for) of 60 kB in four layers, half of them text and half noise, compressed with gzip. It goes from an OCI layout to a fresh
 * docker-registry, beside `skopeo copy`, and back into an OCI layout beside `skopeo copy`, and into a store of the native engine beside `podman pull`
 * into a storage of its own. Each in a process of its own, one after the other; what is missing on the machine is left out.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assembleImage,
  type Digest,
  type Layer,
  measured,
  ociLayout,
  packLayer,
  Registry,
} from '../src/image/index.ts';
import { Store, StoreImages } from '../src/store/index.ts';
import { fromText, type SourceEntry, writeTar } from '../src/tar/index.ts';
import { startRegistry } from '../test/support/registry.ts';
import { head, row, time } from './table.ts';

const SIZE = 60_000;
const LAYERS = 4;
const WINDOW = 8 * 1024 * 1024;

const registry = (): Registry =>
  new Registry({
    clock: {
      now: () => Date.now(),
      random: () => Math.random(),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
    },
  });

async function* entries(layer: number, count: number): AsyncGenerator<SourceEntry, void, undefined> {
  const noise = randomBytes(WINDOW);
  const words = Array.from({ length: 2000 }, () =>
    randomBytes(4)
      .toString('hex')
      .slice(0, 2 + Math.random() * 6),
  );
  let text = '';
  while (text.length < WINDOW) text += `${words[Math.floor(Math.random() ** 3 * words.length)]} `;
  const readable = Buffer.from(text);
  const plain = { uid: 0, gid: 0, mtime: 1_600_000_000 };
  for (let i = 0; i < count; i++) {
    const from = (i * 7919 * 16) % (WINDOW - SIZE);
    const folder = `layer-${layer}/${Math.floor(i / 500)}`;
    if (i % 500 === 0)
      yield { entry: { ...plain, path: fromText(folder), type: 'directory', mode: 0o755, size: 0 } };
    const content = (i % 2 === 0 ? noise : readable).subarray(from, from + SIZE);
    yield {
      entry: { ...plain, path: fromText(`${folder}/${i}`), type: 'file', mode: 0o644, size: SIZE },
      content: async function* () {
        yield content;
      },
    };
  }
}

/** Writes the image into an OCI layout, and answers its compressed size. */
async function make(folder: string, files: number): Promise<number> {
  const layers: Layer[] = [];
  const ids: Digest[] = [];
  let total = 0;
  for (let i = 0; i < LAYERS; i++) {
    const path = join(folder, `layer-${i}`);
    let whole: { digest: Digest; size: number } | undefined;
    let packed: { digest: Digest; size: number } | undefined;
    const tar = measured(writeTar(entries(i, Math.ceil(files / LAYERS))), (result) => (whole = result));
    const gzip = measured(packLayer(tar, 'gzip'), (result) => (packed = result));
    await pipeline(Readable.from(gzip), createWriteStream(path));
    if (whole === undefined || packed === undefined) throw new Error('a layer was not written');
    const { digest } = whole;
    const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...packed };
    ids.push(digest);
    total += packed.size;
    const read = async function* () {
      yield* (await openAsBlob(path)).stream() as unknown as AsyncIterable<Uint8Array>;
    };
    layers.push({
      descriptor: async () => descriptor,
      diffId: async () => digest,
      compressed: read,
      uncompressed: read,
    });
  }
  const configuration = {
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs: { type: 'layers', diff_ids: ids },
  };
  const image = assembleImage(Buffer.from(JSON.stringify(configuration)), layers);
  await ociLayout(join(folder, 'image')).write('big', image);
  for (let i = 0; i < LAYERS; i++) await rm(join(folder, `layer-${i}`));
  return total;
}

/** What one process of ours does. */
async function step(kind: string, name: string, folder: string): Promise<void> {
  const start = performance.now();
  if (kind === 'push') {
    const image = await ociLayout(folder).image('big');
    if (image === undefined) throw new Error('there is no image');
    await registry().write(name, image);
  } else {
    const image = await registry().image(name);
    if (image === undefined) throw new Error('there is no image');
    if (kind === 'pull') await ociLayout(folder).write('big', image);
    else {
      const store = new Store({
        folder,
        runId: createHash('sha256').update(folder).digest('hex').slice(0, 16),
        form: 'trusted',
      });
      await new StoreImages(store, { owners: 'keep', devices: 'make' }).write('big:1', image);
      await store.close();
    }
  }
  const milliseconds = performance.now() - start;
  const peak = Number(/VmHWM:\s+(\d+)/.exec(await readFile('/proc/self/status', 'utf8'))?.[1]) / 1000;
  console.log(JSON.stringify({ milliseconds, peak }));
}

function ours(...words: readonly [kind: string, name: string, folder: string]): string[] {
  const { status, stdout } = spawnSync(process.execPath, [import.meta.filename, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${words[0]} ended with ${status}`);
  const { milliseconds, peak } = JSON.parse(stdout.toString()) as { milliseconds: number; peak: number };
  return [time(milliseconds), `${peak.toFixed(0)} MB`];
}

function peer(...command: readonly [string, ...string[]]): string {
  const [program, ...words] = command;
  const start = performance.now();
  const { status, error } = spawnSync(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (error !== undefined) return 'missing';
  return status === 0 ? time(performance.now() - start) : `exit ${status}`;
}

async function main(files: number): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'luet-ts-bench-'));
  const layout = join(root, 'image');
  const registries = [];
  try {
    const size = await make(root, files);
    const load = loadavg().map((one) => one.toFixed(1));
    head(`${files} files, ${(size / 1e6).toFixed(0)} MB compressed (load ${load.join(' ')})`, [
      'ours',
      'peak',
      'peer',
    ]);
    const one = await startRegistry();
    registries.push(one);
    const two = await startRegistry();
    registries.push(two);
    const to = ['--dest-tls-verify=false', `oci:${layout}:big`, `docker://${two.host}/big:1`];
    row(
      'push, peer: skopeo copy',
      ...ours('push', `${one.host}/big:1`, layout),
      peer('skopeo', 'copy', '-q', ...to),
    );
    const name = `${one.host}/big:1`;
    await mkdir(join(root, 'skopeo'));
    const from = ['--src-tls-verify=false', `docker://${name}`, `oci:${root}/skopeo:big`];
    row(
      'pull into a layout, peer: skopeo copy',
      ...ours('pull', name, join(root, 'ours')),
      peer('skopeo', 'copy', '-q', ...from),
    );
    await rm(join(root, 'ours'), { recursive: true });
    await rm(join(root, 'skopeo'), { recursive: true });
    const storage = ['--root', join(root, 'podman'), '--runroot', join(root, 'podman-run')];
    const pull = ['--storage-driver', 'overlay', 'pull', '-q', '--tls-verify=false', name];
    row(
      'pull into a store, peer: podman pull',
      ...ours('store', name, join(root, 'store')),
      peer('podman', ...storage, ...pull),
    );
  } finally {
    for (const { stop } of registries) await stop();
    spawnSync('umount', [join(root, 'podman/overlay')], { stdio: 'ignore' });
    await rm(root, { recursive: true, force: true });
  }
}

const [kind = '27000', name, folder] = process.argv.slice(2);
if (name !== undefined && folder !== undefined) await step(kind, name, folder);
else await main(Number(kind));
