import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { luetFormat } from '../../src/artifact/index.ts';
import { baseImageFinder, type ImageCache } from '../../src/cache/index.ts';
import type { Engine } from '../../src/engine/index.ts';
import { type BuildResult, type ExecuteOptions, execute } from '../../src/execute/index.ts';
import { planBuild } from '../../src/plan/index.ts';
import { decodePlan, encodePlan, type ResolvedPlan, resolvePlan } from '../../src/resolve/index.ts';
import { loadTrees } from '../../src/tree/index.ts';
import { testEngine } from '../support/engine.ts';
import { listingFormat } from '../support/listing-format.ts';
import { makeSite, onBase, type Site } from '../support/site.ts';

// The seams of the executor: a plan that was written as JSON, another package format, another image cache.

let engine: Engine;
const temporary = mkdtempSync(join(tmpdir(), 'luet-ts-seams-'));
before(async () => {
  engine = await testEngine();
});
after(async () => {
  await engine.close();
  rmSync(temporary, { recursive: true, force: true });
});

const packages = {
  seed: { build: onBase('echo 1 >/one; mkdir /d; ln /one /d/two'), files: { tool: '#!/bin/sh\n' } },
  top: {
    build: { requires: [{ name: 'seed', category: 't', version: '>=0' }], steps: ['cat /one >/three'] },
  },
  get: {
    build: {
      requires: [{ name: 'top', category: 't', version: '>=0' }],
      retrieve: ['top-t-1.package.tar'],
      steps: ['ls /luetbuild | grep -c . >/count'],
    },
  },
  final: {
    build: {
      requires: [{ name: 'top', category: 't', version: '>=0' }],
      requires_final_images: true,
      unpack: true,
    },
  },
};

async function planOf(site: Site): Promise<ResolvedPlan> {
  const tree = await loadTrees(['tree'], { cwd: site.folder });
  const signal = new AbortController().signal;
  return resolvePlan(planBuild(tree, tree.packages), {
    find: (key) => tree.byKey(key),
    baseImage: baseImageFinder({ engine, signal }),
  });
}

let runs = 0;
function carryOut(plan: ResolvedPlan, more: Partial<ExecuteOptions> = {}): Promise<BuildResult> {
  const place = join(temporary, String(runs++));
  for (const name of ['out', 'temporary']) mkdirSync(join(place, name), { recursive: true });
  return execute(plan, {
    engine,
    format: luetFormat('none'),
    destination: join(place, 'out'),
    imageRepository: 'luet-ts-test/seams',
    keepImages: false,
    concurrency: 2,
    keepGoing: false,
    rebuild: false,
    noDependencies: false,
    logs: join(place, 'logs'),
    temporary: join(place, 'temporary'),
    runId: `seams${process.pid}x${runs}`,
    onEvent: () => {},
    signal: new AbortController().signal,
    clock: () => performance.now(),
    ...more,
  });
}

const bytes = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => /\.(tar|yaml|list)$/.test(name))
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'latin1')]),
  );

test('a build from a plan as JSON gives the bytes of a build from the tree', async (t) => {
  const site = makeSite(t, packages);
  const answer = await site.build(['--all']);
  assert.equal(answer.code, 0, answer.stderr);
  const text = encodePlan(await planOf(site), site.folder);
  assert.match(text, /"waitsFor": "retrieve"/);
  const out = join(temporary, 'from-json');
  mkdirSync(out);
  const result = await carryOut(decodePlan(text, site.folder), { destination: out });
  assert.deepEqual(result.failed, []);
  assert.deepEqual(bytes(out), bytes(site.out));
});

test('another package format is written and found again through the same contract', async (t) => {
  const { final: _, get: __, ...some } = packages;
  const site = makeSite(t, some);
  const plan = await planOf(site);
  const out = join(temporary, 'listing');
  mkdirSync(out);
  const first = await carryOut(plan, { format: listingFormat, destination: out });
  assert.deepEqual(
    first.packages.map(({ package: name, outcome, files }) => [name, outcome, files]),
    [
      ['t/seed-1', 'built', 3],
      ['t/top-1', 'built', 1],
    ],
  );
  assert.match(bytes(out)['top-t-1.list'] ?? '', /^[0-9a-f]{64} [0-9a-f]{64}\nfile three [0-9a-f]{64}\n$/);
  const again = await carryOut(plan, { format: listingFormat, destination: out });
  assert.deepEqual(
    again.packages.map(({ outcome }) => outcome),
    ['unchanged', 'unchanged'],
  );
});

test('an image cache is asked once for a whole plan, and is offered what was made', async (t) => {
  const { get: _, ...some } = packages;
  const site = makeSite(t, some);
  const plan = await planOf(site);
  const asked: (readonly string[])[] = [];
  const offered: string[] = [];
  const cache: ImageCache = {
    find: async (keys) => {
      asked.push(keys);
      return new Map();
    },
    fetch: (key) => Promise.reject(new Error(`${key} was not found`)),
    offer: async ({ key }) => {
      offered.push(key);
      return { kind: 'taken' };
    },
    share: async () => {},
    settle: async () => [],
  };
  const result = await carryOut(plan, { cache, keepImages: true, imageRepository: 'luet-ts-test/offered' });
  t.after(async () => {
    for (const key of offered) await engine.remove(`luet-ts-test/offered:${key}`);
  });
  assert.deepEqual(result.failed, []);
  assert.equal(asked.length, 1);
  const keys = plan.nodes.flatMap(({ identity }) => (identity.state === 'known' ? [identity.key] : []));
  assert.deepEqual(
    keys.filter((key) => !asked[0]?.includes(key)),
    [],
  );
  const ran = plan.nodes.flatMap(({ identity, passesThrough }) =>
    identity.state === 'known' && !passesThrough ? [identity.key] : [],
  );
  assert.deepEqual(offered.toSorted(), ran.toSorted());
  // What the engine's own cache finds is found by what it was made under.
  assert.deepEqual(
    (await carryOut(plan, { imageRepository: 'luet-ts-test/offered' })).packages.map(
      ({ outcome }) => outcome,
    ),
    result.packages.map(() => 'cut'),
  );
});
