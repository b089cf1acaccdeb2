/**
 * A registry as the shared cache, whole processes of `luet-ts` on stores of their own beside a fresh docker-registry on loopback:
 * `npm run bench -- cache [twenty|many|two]…`. Twenty packages without and with `--push`, and on a second machine with `--pull`;
 * seven hundred packages that nothing happened to, and one changed file below three hundred of them; two machines that build the
 * same hundred packages at once. Each figure has its peer in the same run; bench/README.md says more.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { conformanceBase } from '../scripts/base-image.ts';
import { loadBase } from '../test/support/engines/setup.ts';
import { FaultyProxy } from '../test/support/faulty-proxy.ts';
import { startRegistry } from '../test/support/registry.ts';
import { twenty, type Work, writeTree } from './many-work.ts';
import { head, median, row, time } from './table.ts';

const RUNS = 5;
// Not in a folder for temporary files, which may be in memory.
const folder = mkdtempSync(join('/var/tmp', 'luet-ts-bench-'));
const program = join(import.meta.dirname, '../bin/luet-ts');

/** Runs the command to its end; milliseconds, and its exit code. Throws with its output for other codes than those. */
async function run(words: readonly string[], codes: readonly number[] = [0]): Promise<number> {
  const start = performance.now();
  const env = { ...process.env, XDG_STATE_HOME: join(folder, 'state') };
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  const code = await new Promise<number>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const took = performance.now() - start;
  if (!codes.includes(code)) throw new Error(`luet-ts ${words.join(' ')}: exit ${code}\n${output}`);
  return took;
}

let machines = 0;

/** A machine: a store that holds the base image, and a destination. */
async function machine(): Promise<{ readonly out: string; readonly words: readonly string[] }> {
  const at = join(folder, `machine-${machines++}`);
  mkdirSync(at);
  const address = `native:${join(at, 'store')}`;
  await loadBase(address, await conformanceBase());
  const out = join(at, 'out');
  return { out, words: ['--engine', address, '--destination', out, '--all'] };
}

/** A digest of all archives of a destination. */
function bytesOf(out: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(out)
    .filter((one) => one.includes('.package.tar'))
    .sort())
    hash.update(name).update(readFileSync(join(out, name)));
  return hash.digest('hex');
}

let repositories = 0;

async function compareTwenty(host: string, tree: string): Promise<void> {
  head(`20 packages (median of ${RUNS})`, ['it', 'it / cold']);
  const took = { cold: [] as number[], push: [] as number[], pull: [] as number[] };
  for (let i = 0; i < RUNS; i++) {
    const repository = ['--image-repository', `${host}/twenty-${repositories++}`];
    const [plain, pusher, puller] = [await machine(), await machine(), await machine()];
    const build = ['build', '--tree', tree, ...repository];
    took.cold.push(await run([...build, ...plain.words]));
    took.push.push(await run([...build, ...pusher.words, '--push']));
    took.pull.push(await run([...build, ...puller.words, '--pull']));
    if (bytesOf(puller.out) !== bytesOf(pusher.out)) throw new Error('a second machine wrote other bytes');
  }
  const cold = median(took.cold);
  for (const [name, all] of Object.entries(took))
    row(name, time(median(all)), (median(all) / cold).toFixed(2));
}

/** Packages on a seed, of which the first ones need a library that is a package itself. */
function seven(count: number, needing: number): Work[] {
  const work = (name: string, parent: string | undefined): Work => ({
    name,
    parent,
    prelude: `mkdir -p /work && echo ${name} > /work/${name}`,
    step: `mkdir -p /usr/${name} && echo ${name} > /usr/${name}/file`,
  });
  const works = [work('seed', undefined), work('library', 'seed')];
  for (let i = 0; i < count - 2; i++)
    works.push(work(`p${String(i).padStart(3, '0')}`, i < needing ? 'library' : 'seed'));
  return works;
}

async function compareMany(host: string, upstream: string): Promise<void> {
  const tree = join(folder, 'many');
  writeTree(tree, seven(700, 300));
  const name = `many-${repositories++}`;
  const flags = (at: string) => ['--tree', tree, '--image-repository', `${at}/${name}`, '--pull'];
  const first = await machine();
  const cold = await run(['build', ...flags(host), ...first.words, '--push']);
  head('700 packages', ['took', 'it / cold', 'requests besides HEAD']);
  row('build --push --pull, cold', time(cold), '1.00', '');
  const proxy = new FaultyProxy(upstream);
  const counted = await proxy.start();
  /** Times a command on the registry, and counts its requests on a proxy before that, as another repository name would have. */
  const measure = async (what: string, command: readonly string[], codes = [0]): Promise<void> => {
    const fresh = await machine();
    const took = await run([...command, ...flags(host), ...fresh.words], codes);
    proxy.seen.length = 0;
    const again = await machine();
    await run([...command, ...flags(counted), ...again.words], codes);
    const other = proxy.seen.filter(({ method }) => method !== 'HEAD').length;
    row(what, time(took), (took / cold).toFixed(2), String(other));
  };
  await measure('explain, fresh machine', ['explain']);
  await measure('build --fail-on-miss and all packages, fresh machine', ['build', '--fail-on-miss']);
  appendFileSync(join(tree, 'library', 'build.yaml'), '- "true"\n');
  await measure('explain, one file changed below 300', ['explain'], [1]);
  await proxy.stop();
}

async function compareTwo(host: string): Promise<void> {
  const tree = join(folder, 'two');
  writeTree(tree, seven(100, 50));
  const alone = await machine();
  const one = await run(['build', '--tree', tree, ...alone.words]);
  const repository = `${host}/two-${repositories++}`;
  const pair = [await machine(), await machine()];
  const took = await Promise.all(
    pair.map(({ words }) =>
      run([
        'build',
        '--tree',
        tree,
        ...words,
        '--image-repository',
        repository,
        '--push',
        '--pull',
        '--wait',
      ]),
    ),
  );
  const same = new Set(pair.map(({ out }) => bytesOf(out))).size === 1;
  head('100 packages', ['took', 'it / alone']);
  row('one machine alone', time(one), '1.00');
  for (const [at, each] of took.entries())
    row(`machine ${at + 1} of two at once`, time(each), (each / one).toFixed(2));
  console.log(same ? 'Both wrote the same bytes.' : 'THE TWO WROTE DIFFERENT BYTES.');
  if (!same) process.exitCode = 1;
}

const parts = process.argv.slice(2);
const wants = (part: string): boolean => parts.length === 0 || parts.includes(part);
const registry = await startRegistry();
try {
  const tree = join(folder, 'twenty');
  writeTree(tree, twenty('1'));
  console.log(`Load when it began: ${loadavg()[0]?.toFixed(1)}`);
  if (wants('twenty')) await compareTwenty(registry.host, tree);
  if (wants('many')) await compareMany(registry.host, registry.host);
  if (wants('two')) await compareTwo(registry.host);
} finally {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}
