/**
 * What one small package costs on a small and on a big base image: `node bench/package.ts [ENGINE…]`, engines as addresses
 * (default: the one that answers). A package of three files is built on a base of 2 MB and on one of 20 000 files and over 1 GB, as a leaf
 * whose image is not kept, and as a package that another is built on. Ratios are of the big base to the small one in
 * the same run. `ours` is what is spent outside of the engine's own calls (create, start, upload, commands, commit).
 */

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { luetFormat } from '../src/artifact/index.ts';
import {
  type Engine,
  findEngine,
  overriding,
  type Workspace,
  type WorkspaceOptions,
} from '../src/engine/index.ts';
import { build } from '../src/execute/index.ts';
import { engineSettings } from '../src/library/index.ts';
import { planBuild } from '../src/plan/index.ts';
import { type EntrySource, fromText, type SourceEntry, writeTar } from '../src/tar/index.ts';
import { findPackages, loadTrees } from '../src/tree/index.ts';

const RUNS = 7;
const SMALL = 'conformance/base:1';
const BIG = 'luet-ts-bench/big:1';
const REPOSITORY = 'luet-ts-bench/cache';
const temporary = mkdtempSync(join(tmpdir(), 'luet-ts-bench-'));

/** BusyBox's image with 20 000 files of 60 kB more. */
async function* bigRoot(engine: Engine): AsyncGenerator<SourceEntry, void, undefined> {
  const small = await engine.openForReading(SMALL);
  try {
    const files = (await small.list('')).filter(
      ({ path }) => !path.startsWith('usr') && path !== 'var' && !path.startsWith('z'),
    );
    const contents = small.read(files.filter(({ type }) => type === 'file'))[Symbol.asyncIterator]();
    for (const file of files) {
      const { path, type, mode, size, link } = file;
      const content = type === 'file' ? (await contents.next()).value?.content : undefined;
      yield {
        entry: { path, type, mode, uid: 0, gid: 0, size, mtime: 0, ...(link === undefined ? {} : { link }) },
        ...(content === undefined ? {} : { content }),
      };
    }
  } finally {
    await small.close();
  }
  const folder = { type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 } as const;
  const noise = randomBytes(256 * 1024);
  yield { entry: { ...folder, path: 'usr' } };
  yield { entry: { ...folder, path: 'usr/bin' } };
  yield { entry: { ...folder, path: 'usr/big' } };
  for (let i = 0; i < 200; i++) {
    const at = `usr/big/${String(i).padStart(3, '0')}`;
    yield { entry: { ...folder, path: at } };
    for (let j = 0; j < 100; j++) {
      const start = (i * 100 + j) % 190_000;
      yield {
        entry: {
          path: fromText(`${at}/${j}`),
          type: 'file',
          mode: 0o644,
          uid: 0,
          gid: 0,
          size: 60_000,
          mtime: 0,
        },
        content: async function* () {
          yield noise.subarray(start, start + 60_000);
        },
      };
    }
  }
}

/** An engine whose own calls are timed. */
function timed(engine: Engine, spent: { milliseconds: number }): Engine {
  const time = async <T>(work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    try {
      return await work();
    } finally {
      spent.milliseconds += performance.now() - start;
    }
  };
  const timedWorkspace = (inner: Workspace): Workspace =>
    overriding(inner, {
      upload: (entries: EntrySource) => time(() => inner.upload(entries)),
      run: (...given: Parameters<Workspace['run']>) => time(() => inner.run(...given)),
      commit: (...given: Parameters<Workspace['commit']>) => time(() => inner.commit(...given)),
    });
  return overriding(engine, {
    resolve: (...given: Parameters<Engine['resolve']>) => time(() => engine.resolve(...given)),
    list: (...given: Parameters<Engine['list']>) => time(() => engine.list(...given)),
    open: (options: WorkspaceOptions) => time(async () => timedWorkspace(await engine.open(options))),
  });
}

function writeTree(base: string): string {
  const root = mkdtempSync(join(temporary, 'tree-'));
  const put = (name: string, definition: string, spec: string): void => {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'definition.yaml'), definition);
    writeFileSync(join(root, name, 'build.yaml'), spec);
  };
  put('seed', 'name: seed\ncategory: bench\nversion: "1"\n', `image: ${base}\n`);
  const requires = 'requires:\n- {name: seed, category: bench, version: ">=0"}\n';
  put(
    'three',
    'name: three\ncategory: bench\nversion: "1"\n',
    `${requires}steps:\n- mkdir /three && echo 1 > /three/1 && echo 2 > /three/2 && echo 3 > /three/3\n`,
  );
  return root;
}

interface Measured {
  readonly total: number;
  readonly engine: number;
}

async function once(engine: Engine, base: string, keepImages: boolean): Promise<Measured> {
  const spent = { milliseconds: 0 };
  const tree = await loadTrees([writeTree(base)], { cwd: temporary });
  const plan = planBuild(tree, findPackages(tree, 'bench/three', 'buildtime').packages.slice(0, 1), {
    onlyTargets: true,
  });
  let from = 0;
  let until = 0;
  let before = 0;
  const result = await build(plan, {
    engine: timed(engine, spent),
    find: () => undefined,
    destination: mkdtempSync(join(temporary, 'out-')),
    format: luetFormat('none'),
    imageRepository: REPOSITORY,
    keepImages,
    concurrency: 1,
    keepGoing: false,
    rebuild: true,
    noDependencies: false,
    network: 'host',
    logs: temporary,
    temporary,
    runId: randomBytes(8).toString('hex'),
    onEvent: (event) => {
      if (event.type === 'started') {
        from = performance.now();
        before = spent.milliseconds;
      }
      if (event.type === 'written' || event.type === 'ran') until = performance.now();
    },
    signal: new AbortController().signal,
    clock: () => performance.now(),
  });
  if (result.packages.length !== 1) throw new Error(`not built: ${JSON.stringify(result)}`);
  return { total: until - from, engine: spent.milliseconds - before };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function measure(address: string | undefined): Promise<void> {
  const { engine } = await findEngine({
    settings: engineSettings(process.env, process.env.HOME ?? '/'),
    engine: address,
    runId: randomBytes(8).toString('hex'),
    token: () => randomBytes(16).toString('hex'),
    temporary,
    now: () => new Date(),
  });
  try {
    const { name, version } = await engine.report();
    if ((await engine.resolve(SMALL, { pull: false })) === undefined)
      throw new Error(`${SMALL} is not in the engine; npm test loads it`);
    if ((await engine.resolve(BIG, { pull: false })) === undefined)
      await engine.importImage(BIG, writeTar(bigRoot(engine)));
    console.log(`\n${name} ${version} (median of ${RUNS}, ms)`);
    console.log(
      `${'package of 3 files'.padEnd(34)}${['2 MB base', '1.2 GB base', 'ratio', 'ours, 2 MB', 'ours, 1.2 GB'].map((h) => h.padStart(14)).join('')}`,
    );
    for (const keep of [false, true]) {
      const results: Record<string, Measured[]> = { [SMALL]: [], [BIG]: [] };
      // One of each in turn, so that what else the machine does falls on both; the first run of each warms up.
      for (let run = 0; run <= RUNS; run++) {
        for (const base of [SMALL, BIG]) {
          const measured = await once(engine, base, keep);
          await new Promise((resolve) => setTimeout(resolve, 300));
          if (run > 0) results[base]?.push(measured);
        }
      }
      const [small, big] = [results[SMALL] ?? [], results[BIG] ?? []];
      const [s, b] = [median(small.map(({ total }) => total)), median(big.map(({ total }) => total))];
      const ours = (all: readonly Measured[]): string =>
        median(all.map(({ total, engine: own }) => Math.max(0, total - own))).toFixed(1);
      const label = keep ? 'one that another is built on' : 'leaf, --keep-images=false';
      console.log(
        `${label.padEnd(34)}${[s.toFixed(0), b.toFixed(0), (b / s).toFixed(2), ours(small), ours(big)].map((v) => v.padStart(14)).join('')}`,
      );
    }
    for (const tag of (await engine.list(REPOSITORY)).keys()) await engine.remove(`${REPOSITORY}:${tag}`);
    if (process.env.LUET_TS_BENCH_KEEP !== '1') await engine.remove(BIG);
  } finally {
    await engine.close();
  }
}

const addresses = process.argv.slice(2);
try {
  for (const address of addresses.length === 0 ? [undefined] : addresses) await measure(address);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
