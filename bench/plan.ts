/**
 * Reading, validating and planning generated trees: `npm run bench -- plan [real|large|growth]`. Whole processes are
 * measured, started as people start them. With the path of a stock Luet in LUET, it does the same on the same tree in
 * the same run (it wants the docker command on the PATH), and ratios are printed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Layout, writeTree } from './plan-tree.ts';
import { head, median, row, time } from './table.ts';

const RUNS = 9;
const REAL = 718;
const LARGE = 50_000;
/** Milliseconds after which stock Luet is stopped. */
const PATIENCE = 900_000;

const folder = mkdtempSync(join(tmpdir(), 'luet-ts-bench-'));
const launcher = join(import.meta.dirname, '../bin/luet-ts');

const realistic: Layout = { inCollections: 40, templates: true };

function generated(count: number, layout = realistic): string {
  const root = join(folder, `${count}-${layout.inCollections}-${layout.templates}`);
  writeTree(root, count, layout);
  // What is measured is reading: writing is over by then.
  spawnSync('sync');
  return root;
}

/** One whole process, in milliseconds; undefined where it was stopped for taking too long. */
function run(program: string, words: readonly string[]): number | undefined {
  const start = performance.now();
  const { status, error, stderr } = spawnSync(program, words, {
    cwd: folder,
    timeout: PATIENCE,
    maxBuffer: 1 << 30,
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
  });
  const taken = performance.now() - start;
  if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT') return undefined;
  if (status !== 0)
    throw new Error(`${program} ${words.join(' ')}: ${error ?? stderr.toString().slice(-2000)}`);
  return taken;
}

interface Measured {
  readonly first: number;
  readonly median: number;
  readonly best: number;
}

function ours(words: readonly string[]): Measured {
  const times = Array.from({ length: RUNS + 1 }, () => run(launcher, words) ?? Number.NaN);
  const [first = Number.NaN, ...later] = times;
  return { first, median: median(later), best: Math.min(...later) };
}

const commands = {
  'plan all': (tree: string) => ['build', '--tree', tree, '--all', '--pretend'],
  validate: (tree: string) => ['tree', 'validate', '--tree', tree],
  'validate -s': (tree: string) => ['tree', 'validate', '-s', '--tree', tree],
} as const;

function real(): void {
  const peer = process.env.LUET;
  const tree = generated(REAL);
  head(
    `A tree like a real one: ${REAL} packages, closures up to 16 deep, templates, collections; whole process`,
    ['first', 'median', 'best', 'bound', ...(peer === undefined ? [] : ['stock Luet', 'ratio'])],
  );
  const bounds = { 'plan all': '600 ms', validate: '500 ms', 'validate -s': '800 ms' };
  for (const name of Object.keys(commands) as (keyof typeof commands)[]) {
    const words = commands[name](tree);
    const { first, median: middle, best } = ours(words);
    const cells = [time(first), time(middle), time(best), bounds[name]];
    if (peer !== undefined) {
      const theirs = run(peer, words);
      cells.push(theirs === undefined ? `> ${time(PATIENCE)}` : time(theirs));
      cells.push(`${theirs === undefined ? '> ' : ''}${((theirs ?? PATIENCE) / middle).toFixed(0)}`);
    }
    row(name, ...cells);
  }
  if (peer === undefined) console.log('(LUET is not set: stock Luet was not measured)');
}

interface Loaded {
  readonly load: number;
  readonly index: number;
  /** Megabytes. */
  readonly memory: number;
}

/** Loads and indexes a tree in a process of its own, and says what that took. */
function loaded(tree: string): Loaded {
  const child = spawnSync(
    process.execPath,
    // As the launcher starts it.
    ['--min-semi-space-size=16', '--max-semi-space-size=16', join(import.meta.dirname, 'plan-load.ts'), tree],
    { encoding: 'utf8' },
  );
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as Loaded;
}

function loadRow(name: string, tree: string, bound: string, memory: string): void {
  const runs = Array.from({ length: 3 }, () => loaded(tree));
  const of = (field: keyof Loaded): number => median(runs.map((one) => one[field]));
  const both = median(runs.map(({ load, index }) => load + index));
  row(name, time(of('load')), time(of('index')), time(both), bound, `${of('memory').toFixed(0)} MB`, memory);
}

const loadColumns = ['load', 'index', 'both', 'bound', 'memory', 'bound'];

function large(): void {
  head(
    `${LARGE} packages: read, rendered and checked (load), then indexed for solving in both views`,
    loadColumns,
  );
  const layouts: readonly (readonly [string, Layout])[] = [
    ['plain specs, in collections', { inCollections: 100, templates: false }],
    ['plain specs, two fifths in collections', { inCollections: 40, templates: false }],
    ['plain specs, a folder each', { inCollections: 0, templates: false }],
    ['templates, two fifths in collections', realistic],
  ];
  for (const [name, layout] of layouts) loadRow(name, generated(LARGE, layout), '3000 ms', '500 MB');
}

function growth(): void {
  const steps = [1, 2, 4];
  const trees = steps.map((factor) => generated(REAL * factor));
  head(
    'Growth: the same at n, 2n and 4n packages; whole process, median',
    steps.map((f) => `${f * REAL}`),
  );
  for (const name of Object.keys(commands) as (keyof typeof commands)[])
    row(name, ...trees.map((tree) => time(ours(commands[name](tree)).median)));
  head('Growth: load and index', loadColumns);
  for (const factor of steps) {
    const count = (LARGE / 4) * factor;
    loadRow(`${count} packages`, generated(count), '', '');
  }
}

const tables: Readonly<Record<string, () => void>> = { real, large, growth };
try {
  const asked = process.argv.slice(2);
  for (const name of asked.length > 0 ? asked : Object.keys(tables)) {
    const table = tables[name];
    if (table === undefined) throw new Error(`no table ${name}; there are ${Object.keys(tables).join(', ')}`);
    table();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
