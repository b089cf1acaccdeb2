/**
 * The native engine, whole processes of `luet-ts build` on a store of its own: `node bench/native.ts [PART…] [ENGINE]`, with a Docker engine
 * as a `unix://` address for the peer. Twenty packages cold and again, beside one Dockerfile of the same work through that engine's
 * BuildKit; a package of three files on a base of 27 000 files and 1.6 GB; a thousand packages. bench/README.md says more.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { conformanceBase } from '../scripts/base-image.ts';
import { scriptEngine } from '../test/support/engines/native.ts';
import { loadBase } from '../test/support/engines/setup.ts';
import { profile } from './many-profile.ts';
import { dockerfileOf, thousand, twenty, type Work, writeTree } from './many-work.ts';
import { head, median, row, time } from './table.ts';

const RUNS = 5;
// Not in a folder for temporary files, which may be in memory.
const folder = mkdtempSync(join('/var/tmp', 'luet-ts-bench-'));
const store = join(folder, 'store');
const address = `native:${store}`;
const program = join(import.meta.dirname, '../bin/luet-ts');
const environment = { ...process.env, XDG_STATE_HOME: join(folder, 'state') };

interface Measured {
  readonly took: number;
  /** Most memory that the process had, in bytes. */
  readonly memory: number;
}

/** Runs a program to its end. Throws with its output where it fails. */
async function measure(
  command: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = environment,
): Promise<Measured> {
  const start = performance.now();
  const child = spawn(command, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let memory = 0;
  const look = (): void => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      memory = Math.max(memory, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // Ended.
    }
  };
  const timer = setInterval(look, 50);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  clearInterval(timer);
  const took = performance.now() - start;
  if (code !== 0) throw new Error(`${command} ${words.join(' ')}: exit ${String(code)}\n${output}`);
  return { took, memory };
}

/** `luet-ts build` of everything, twice. */
async function ours(works: readonly Work[]): Promise<{ cold: Measured; again: Measured }> {
  const at = mkdtempSync(join(folder, 'ours-'));
  writeTree(join(at, 'tree'), works);
  const words = ['build', '--engine', address, '--tree', join(at, 'tree'), '--all'];
  words.push('--destination', join(at, 'out'));
  words.push('--image-repository', `luet-ts-bench/native-${randomBytes(4).toString('hex')}`);
  return { cold: await measure(program, words), again: await measure(program, words) };
}

/** The Dockerfile through BuildKit, twice. */
async function dockerfile(
  works: readonly Work[],
  engine: string,
  network: string,
): Promise<{ cold: number; again: number }> {
  const at = mkdtempSync(join(folder, 'dockerfile-'));
  const name = `luet-ts-bench/dockerfile:${randomBytes(4).toString('hex')}`;
  writeFileSync(join(at, 'Dockerfile'), dockerfileOf(works, false));
  const env = { ...process.env, DOCKER_HOST: engine, DOCKER_BUILDKIT: '1' };
  const words = ['build', '-q', '-t', name, '--network', network, at];
  try {
    const cold = await measure('/usr/bin/docker', words, env);
    return { cold: cold.took, again: (await measure('/usr/bin/docker', words, env)).took };
  } finally {
    spawnSync('/usr/bin/docker', ['rmi', '-f', name], { env, stdio: 'ignore' });
  }
}

async function compareTwenty(engine: string | undefined): Promise<void> {
  head(`20 packages: a seed, ten on it, a chain of nine (median of ${RUNS})`, ['cold', 'ours / it', 'again']);
  const own: { cold: number; again: number }[] = [];
  const networks = engine === undefined ? [] : ['default', 'host'];
  const peers = new Map<string, { cold: number; again: number }[]>(networks.map((name) => [name, []]));
  for (let run = 0; run < RUNS; run++) {
    const { cold, again } = await ours(twenty(randomBytes(6).toString('hex')));
    own.push({ cold: cold.took, again: again.took });
    for (const [network, list] of peers)
      list.push(await dockerfile(twenty(randomBytes(6).toString('hex')), engine ?? '', network));
  }
  const cold = median(own.map((one) => one.cold));
  row('luet-ts build, native', time(cold), '1.00', time(median(own.map((one) => one.again))));
  for (const [network, list] of peers) {
    const its = median(list.map((one) => one.cold));
    const again = time(median(list.map((one) => one.again)));
    row(`BuildKit, ${network} network`, time(its), (cold / its).toFixed(2), again);
  }
}

/** A package of three files on a small and on a big base. */
async function compareBases(): Promise<void> {
  const root = join(folder, 'big');
  const noise = randomBytes(256 * 1024);
  mkdirSync(join(root, 'usr/big'), { recursive: true });
  for (let i = 0; i < 270; i++) {
    mkdirSync(join(root, 'usr/big', String(i)));
    for (let j = 0; j < 100; j++) {
      const start = (i * 100 + j) % 190_000;
      writeFileSync(join(root, 'usr/big', String(i), String(j)), noise.subarray(start, start + 60_000));
    }
  }
  for (const name of ['bin', 'dev', 'proc', 'sys', 'etc', 'tmp'])
    mkdirSync(join(root, name), { recursive: true });
  const { files } = await conformanceBase();
  const busybox = files['bin/busybox'];
  if (busybox?.type !== 'file') throw new Error('the small base has no BusyBox');
  for (const name of ['sh', 'mkdir', 'touch'])
    writeFileSync(join(root, 'bin', name), busybox.content, { mode: 0o755 });
  const env = ['--env', 'PATH=/bin', '--engine', address];
  const { took } = await measure(program, ['image', 'import', root, 'luet-ts-bench/big:1', ...env]);
  rmSync(root, { recursive: true });
  head(`a package of three files, whole process (median of ${RUNS})`, ['time', 'big / small']);
  const times: Record<string, number[]> = { 'conformance/base:1': [], 'luet-ts-bench/big:1': [] };
  for (let run = 0; run < RUNS; run++)
    for (const [base, list] of Object.entries(times)) {
      const at = mkdtempSync(join(folder, 'three-'));
      mkdirSync(join(at, 'tree'));
      writeFileSync(join(at, 'tree/definition.yaml'), 'name: three\ncategory: bench\nversion: "1"\n');
      const salt = randomBytes(6).toString('hex');
      const spec = `image: ${base}\nprelude:\n- touch /${salt}\nsteps:\n- mkdir /out && touch /out/1 /out/2 /out/3\n`;
      writeFileSync(join(at, 'tree/build.yaml'), spec);
      const words = ['build', '--engine', address, '--tree', join(at, 'tree'), '--all'];
      words.push('--destination', join(at, 'out'), '--image-repository', `luet-ts-bench/three-${salt}`);
      list.push((await measure(program, words)).took);
    }
  const [small = [], big = []] = Object.values(times);
  row('on 2 MB', time(median(small)), '1.00');
  row('on 27 000 files, 1.6 GB', time(median(big)), (median(big) / median(small)).toFixed(2));
  row('(import of the big one from a folder)', time(took));
}

async function compareThousand(): Promise<void> {
  const { cold, again } = await ours(thousand(randomBytes(6).toString('hex')));
  head('1000 packages: a seed, 99 on it, nine or ten on each', ['time', 'memory']);
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  row('cold', time(cold.took), megabytes(cold.memory));
  row('again', time(again.took), megabytes(again.memory));
}

const PARTS = ['twenty', 'base', 'thousand', 'profile'];
const words = process.argv.slice(2);
const engine = words.find((word) => word.includes('/'));
const named = words.filter((word) => !word.includes('/'));
const unknown = named.find((word) => !PARTS.includes(word));
if (unknown !== undefined) throw new Error(`there is no part ${unknown}: ${PARTS.join(', ')}`);
const parts = new Set(named.length === 0 ? PARTS : named);
try {
  await loadBase(address, await conformanceBase());
  if (engine !== undefined) await loadBase(engine, await conformanceBase());
  console.log(`load ${loadavg()[0]?.toFixed(1)}`);
  if (parts.has('twenty')) await compareTwenty(engine);
  if (parts.has('base')) await compareBases();
  if (parts.has('thousand')) await compareThousand();
  if (parts.has('profile')) {
    const native = scriptEngine(store);
    await profile(native, folder, availableParallelism()).finally(() => native.close());
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
