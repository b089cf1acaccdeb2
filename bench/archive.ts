/**
 * What packaging 2 GB costs: `node bench/archive.ts`. A folder of files, half noise and half text that compresses, is written as a
 * package in a process of its own, as a build does it: sorted tar, compressed, hashed, flushed to disk, with its metadata. The peer
 * is `tar` piped into `zstd -3` or `gzip -6` of this machine, flushed to disk too, right after ours; where one of them is not
 * installed, its cells say NaN. Peaks are of the resident set of our process (VmHWM of /proc) at its end.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Compression, type MetadataPackage, writeArtifact } from '../src/artifact/index.ts';
import { fromText, type SourceEntry } from '../src/tar/index.ts';
import { head, row, time } from './table.ts';

const FILES = 64;
const FILE_SIZE = 16 * 1024 * 1024;
const peers: readonly (readonly [Compression, string])[] = [
  ['zstd', 'zstd -q -3'],
  ['gzip', 'gzip -6'],
];

/** Words of a made-up language, frequent ones first; the same ones always. */
function text(seed: number): Buffer {
  let state = seed + 1;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const letter = (): string => letters[Math.floor(random() * random() * 26)] ?? '';
  const words = Array.from({ length: 4000 }, () => Array.from({ length: 2 + random() * 9 }, letter).join(''));
  const bytes = Buffer.alloc(FILE_SIZE);
  for (let at = 0; at < FILE_SIZE; )
    at += bytes.write(`${words[Math.floor(random() * random() * 4000)] ?? ''}\n`, at);
  return bytes;
}

async function fill(folder: string): Promise<void> {
  for (const kind of ['noise', 'text']) {
    await mkdir(join(folder, kind), { recursive: true });
    for (let i = 0; i < FILES; i++)
      await writeFile(join(folder, kind, String(i)), kind === 'noise' ? randomBytes(FILE_SIZE) : text(i));
  }
}

async function* entriesOf(folder: string): AsyncGenerator<SourceEntry, void, undefined> {
  const plain = { uid: 0, gid: 0, mtime: 0 };
  for (const kind of ['noise', 'text']) {
    yield { entry: { ...plain, path: fromText(kind), type: 'directory', mode: 0o755, size: 0 } };
    for (const name of (await readdir(join(folder, kind))).sort()) {
      const path = join(folder, kind, name);
      const { size } = await stat(path);
      yield {
        entry: { ...plain, path: fromText(`${kind}/${name}`), type: 'file', mode: 0o644, size },
        content: createReadStream(path),
      };
    }
  }
}

/** Writes the package, and prints what it took as JSON. */
async function pack(folder: string, destination: string, compression: Compression): Promise<void> {
  const form: MetadataPackage = {
    ...{ name: 'large', category: 'bench', version: '1', description: '', license: '', hidden: false },
    ...{ uri: [], labels: new Map(), annotations: new Map(), useFlags: [] },
    ...{ requires: [], conflicts: [], provides: [] },
  };
  const start = performance.now();
  const { size } = await writeArtifact({
    destination,
    fingerprint: 'large-bench-1',
    compression,
    entries: entriesOf(folder),
    runtime: form,
    build: {
      ...{ package: form, image: '', seed: '', prelude: [], steps: [], env: [], copy: [], packageDir: '' },
      ...{ retrieve: [], unpack: false, includes: [], excludes: [], requiresFinalImages: false, closure: [] },
    },
    record: { key: '', artifact: '' },
    runId: 'bench',
  });
  const milliseconds = performance.now() - start;
  const peak = Number(/VmHWM:\s+(\d+)/.exec(await readFile('/proc/self/status', 'utf8'))?.[1]) / 1000;
  console.log(JSON.stringify({ milliseconds, size, peak }));
}

function ours(folder: string, out: string, compression: Compression) {
  const words = [import.meta.filename, folder, out, compression];
  const { status, stdout } = spawnSync(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`packaging ended with ${status}`);
  return JSON.parse(stdout.toString()) as { milliseconds: number; size: number; peak: number };
}

/** How long tar and a compressor take, the output being on disk at the end as ours is; undefined where one of them is missing. */
async function peer(folder: string, out: string, command: string) {
  const [program = ''] = command.split(' ');
  if (spawnSync('sh', ['-c', `command -v tar && command -v ${program}`]).status !== 0) return undefined;
  const file = join(out, program);
  const script = `tar -C "$0" -cf - . | ${command} > "$1" && sync "$1"`;
  const start = performance.now();
  if (spawnSync('sh', ['-c', script, folder, file], { stdio: 'inherit' }).status !== 0)
    throw new Error(`${command} failed`);
  const milliseconds = performance.now() - start;
  const { size } = await stat(file);
  await rm(file);
  return { milliseconds, size };
}

async function main(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'luet-ts-bench-'));
  const [folder, out] = [join(root, 'folder'), join(root, 'out')];
  try {
    await fill(folder);
    await mkdir(out);
    head('packaging 2 GB', ['ours', 'peer', 'ratio', 'our MB', "peer's MB", 'our peak']);
    for (const [compression, command] of peers) {
      const our = ours(folder, out, compression);
      const theirs = await peer(folder, out, command);
      row(
        `${compression}, peer: tar | ${command}`,
        time(our.milliseconds),
        time(theirs?.milliseconds ?? Number.NaN),
        (our.milliseconds / (theirs?.milliseconds ?? Number.NaN)).toFixed(2),
        (our.size / 1e6).toFixed(0),
        ((theirs?.size ?? Number.NaN) / 1e6).toFixed(0),
        `${our.peak.toFixed(0)} MB`,
      );
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const [folder, out, compression] = process.argv.slice(2);
if (folder !== undefined && out !== undefined)
  await pack(folder, out, compression === 'gzip' ? 'gzip' : 'zstd');
else await main();
