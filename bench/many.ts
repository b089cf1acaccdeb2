/**
 * Many small packages, whole processes: `node bench/many.ts [PART…] [ENGINE…]`, engines as `unix://` addresses (default: the
 * one that answers). Built cold and again by `luet-ts build`, by one Dockerfile of a stage a package through the engine's
 * BuildKit (`docker build`), and by the bare calls of the engine's API on the same schedule. bench/README.md says more.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, homedir, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformanceBase } from '../scripts/base-image.ts';
import { findEngine } from '../src/engine/index.ts';
import { engineSettings } from '../src/library/index.ts';
import { loadBase } from '../test/support/engines/setup.ts';
import { BareEngine } from './many-bare.ts';
import { profile } from './many-profile.ts';
import { dockerfileOf, hundred, tops, twenty, type Work, writeTree } from './many-work.ts';
import { head, median, row, time } from './table.ts';

const RUNS = 3;
const folder = mkdtempSync(join(tmpdir(), 'luet-ts-bench-'));
const program = join(import.meta.dirname, '../bin/luet-ts');
const environment = { ...process.env, XDG_STATE_HOME: join(folder, 'state') };

/** Runs a program to its end; what it took, in milliseconds. Throws with its output where it fails. */
async function measure(command: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const start = performance.now();
  const child = spawn(command, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0)
    throw new Error(`${command} ${words.join(' ')}: exit ${String(code)}\n${output.slice(-2000)}`);
  return performance.now() - start;
}

interface Place {
  readonly address: string;
  readonly bare: BareEngine;
  readonly concurrency: number;
}

/** Removes the images of a repository. */
async function clear(bare: BareEngine, repository: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ reference: [`${repository}:*`] }));
  const images = await bare.call<{ RepoTags: string[]; Created: number }[]>(
    'GET',
    `/images/json?filters=${filters}`,
  );
  for (const { RepoTags } of images.sort((a, b) => b.Created - a.Created))
    for (const name of RepoTags) await bare.call('DELETE', `/images/${name}?force=1`);
}

interface Times {
  cold: number;
  again: number;
}

/** `luet-ts build` of everything, twice. */
async function ours(works: readonly Work[], place: Place, network: string | undefined): Promise<Times> {
  const at = mkdtempSync(join(folder, 'ours-'));
  const repository = `luet-ts-bench/many-${randomBytes(4).toString('hex')}`;
  writeTree(join(at, 'tree'), works);
  const words = ['build', '--tree', join(at, 'tree'), '--all', '--destination', join(at, 'out')];
  words.push('--image-repository', repository, '--engine', place.address);
  if (network !== undefined) words.push('--network', network);
  mkdirSync(join(at, 'out'));
  try {
    const cold = await measure(program, words, environment);
    return { cold, again: await measure(program, words, environment) };
  } finally {
    await clear(place.bare, repository);
  }
}

/** The Dockerfile through BuildKit, twice. */
async function dockerfile(
  works: readonly Work[],
  place: Place,
  network: string | undefined,
  joined: boolean,
): Promise<Times> {
  const at = mkdtempSync(join(folder, 'dockerfile-'));
  const name = `luet-ts-bench/dockerfile:${randomBytes(4).toString('hex')}`;
  writeFileSync(join(at, 'Dockerfile'), dockerfileOf(works, joined));
  const words = ['build', '-q', '-t', name, '--network', network ?? 'default', at];
  const env = { ...process.env, DOCKER_HOST: place.address, DOCKER_BUILDKIT: '1' };
  try {
    const cold = await measure('/usr/bin/docker', words, env);
    return { cold, again: await measure('/usr/bin/docker', words, env) };
  } finally {
    await place.bare.call('DELETE', `/images/${name}?force=1`);
  }
}

/** The engine's own calls for the same packages on the same schedule; and their sum on the longest path, one after the other. */
async function bareCalls(
  works: readonly Work[],
  { bare, concurrency }: Place,
  network: string | undefined,
): Promise<{ readonly all: number; readonly path: number }> {
  const repository = `luet-ts-bench/bare-${randomBytes(4).toString('hex')}`;
  try {
    const all = await bare.build(works, repository, concurrency, network);
    const path: Work[] = [];
    const byName = new Map(works.map((work) => [work.name, work]));
    for (let one = tops(works).at(-1); one !== undefined; one = byName.get(one.parent ?? ''))
      path.unshift(one);
    const alone = await bare.build(path, repository, 1, network);
    let sum = 0;
    for (const { create, start, commands, commit } of alone.calls.values())
      sum += create + start + commands + commit;
    return { all: all.gone, path: sum };
  } finally {
    await clear(bare, repository);
  }
}

const ratio = (a: number, b: number): string => (a / b).toFixed(2);

async function compare(title: string, make: (salt: string) => readonly Work[], place: Place): Promise<void> {
  for (const network of [undefined, 'host']) {
    head(`${title}; network: ${network ?? "the engine's default, a bridge"} (median of ${RUNS})`, [
      'cold',
      'ours / it',
      'again',
    ]);
    const all: { ours: Times[]; separate: Times[]; joined: Times[]; bare: { all: number; path: number }[] } =
      {
        ours: [],
        separate: [],
        joined: [],
        bare: [],
      };
    // One of each in turn, so that what else the machine does falls on all.
    for (let run = 0; run < RUNS; run++) {
      const works = make(randomBytes(6).toString('hex'));
      all.ours.push(await ours(works, place, network));
      all.separate.push(await dockerfile(works, place, network, false));
      all.bare.push(await bareCalls(works, place, network));
      all.joined.push(await dockerfile(works, place, network, true));
    }
    const cold = median(all.ours.map((one) => one.cold));
    const show = (name: string, times: readonly Times[]): void => {
      const its = median(times.map((one) => one.cold));
      row(name, time(its), ratio(cold, its), time(median(times.map((one) => one.again))));
    };
    show('luet-ts build', all.ours);
    show('BuildKit, a RUN a command', all.separate);
    show('BuildKit, a RUN a package', all.joined);
    const calls = median(all.bare.map((one) => one.all));
    row('bare calls of the API, the same schedule', time(calls), ratio(cold, calls));
    const path = median(all.bare.map((one) => one.path));
    row('bare calls of the longest path, alone', time(path), ratio(cold, path));
  }
}

async function run(address: string | undefined, parts: ReadonlySet<string>): Promise<void> {
  const { engine } = await findEngine({
    settings: engineSettings(process.env, homedir()),
    engine: address,
    runId: randomBytes(8).toString('hex'),
    token: () => randomBytes(16).toString('hex'),
    temporary: folder,
    now: () => new Date(),
  });
  const bare: BareEngine[] = [];
  try {
    const report = await engine.report();
    await loadBase(report.address, await conformanceBase());
    const load = loadavg()[0]?.toFixed(1);
    console.log(
      `\n${report.name} ${report.version}, ${report.cpus} CPUs at once (of ${cpus().length}), load ${load}`,
    );
    const place = { address: report.address, bare: new BareEngine(report.address), concurrency: report.cpus };
    bare.push(place.bare);
    if (parts.has('twenty')) await compare('20 packages: a seed, ten on it, a chain of nine', twenty, place);
    if (parts.has('hundred')) await compare('100 packages: a seed, nine on it, ten on each', hundred, place);
    if (parts.has('profile')) await profile(engine, folder, report.cpus);
  } finally {
    for (const one of bare) one.close();
    await engine.close();
  }
}

const PARTS = ['twenty', 'hundred', 'profile'];
const words = process.argv.slice(2);
const addresses = words.filter((word) => word.includes('/'));
const named = words.filter((word) => !word.includes('/'));
const unknown = named.find((word) => !PARTS.includes(word));
if (unknown !== undefined) throw new Error(`there is no part ${unknown}: ${PARTS.join(', ')}`);
try {
  for (const address of addresses.length === 0 ? [undefined] : addresses)
    await run(address, new Set(named.length === 0 ? PARTS : named));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
