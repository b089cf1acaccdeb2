import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type EarlierBuild, type EarlierBuilds, explainPlan } from '../../src/explain/index.ts';
import { planBuild } from '../../src/plan/index.ts';
import { type ResolvedPlan, resolvePlan } from '../../src/resolve/index.ts';
import { loadTrees } from '../../src/tree/index.ts';
import { type Ending, needs, type PackageFiles, writeTree } from '../support/site.ts';

/** A tree that tests change, and the plans of it. */
class Tree {
  readonly #folder = mkdtempSync(join(tmpdir(), 'luet-ts-explain-'));
  /** What the base image is at this time. */
  base = 'sha256:0';

  constructor(ending: Ending, packages: Readonly<Record<string, PackageFiles>>) {
    ending.after(() => rmSync(this.#folder, { recursive: true }));
    this.write(packages);
  }

  write(packages: Readonly<Record<string, PackageFiles>>): void {
    writeTree(join(this.#folder, 'tree'), packages);
  }

  path(name: string): string {
    return join(this.#folder, 'tree', name);
  }

  async plan(): Promise<ResolvedPlan> {
    const tree = await loadTrees(['tree'], { cwd: this.#folder });
    const config = { env: [], os: 'linux', architecture: 'amd64', variant: '' };
    return await resolvePlan(planBuild(tree, tree.packages), {
      find: (key) => tree.byKey(key),
      baseImage: async (reference) => ({
        ok: true,
        image: { reference, name: reference, layers: [this.base], config, created: 0 },
      }),
    });
  }
}

/** What a build of some plans left. */
function builtOf(...plans: readonly ResolvedPlan[]): EarlierBuilds & { readonly keys: ReadonlySet<string> } {
  const builds = plans.flatMap((plan) =>
    plan.nodes.flatMap(({ identity }): EarlierBuild[] =>
      identity.state === 'known' && identity.inputs !== undefined
        ? [{ key: identity.key, inputs: identity.inputs, where: 'engine' }]
        : [],
    ),
  );
  return {
    keys: new Set(builds.map(({ key }) => key)),
    of: async ({ name, category }) =>
      builds.filter(({ inputs }) => inputs.name === name && inputs.category === category),
    withKey: async (key) => builds.find((one) => one.key === key),
    has: async (key) => builds.some((one) => one.key === key),
  };
}

/** What is said of each package, in a few words. */
async function explained(plan: ResolvedPlan, earlier: EarlierBuilds, cached: ReadonlySet<string>, more = {}) {
  const packages = await explainPlan(plan, {
    isCached: (key) => cached.has(key),
    isUnchanged: () => false,
    earlier,
    rebuild: false,
    ...more,
  });
  return Object.fromEntries(
    packages.map(({ package: name, state, reason, followers }) => {
      const said =
        reason === undefined
          ? state
          : reason.kind === 'changed'
            ? reason.changes.map((change) => JSON.stringify({ ...change, place: undefined }))
            : reason.kind === 'follows'
              ? `follows ${reason.packages} because of ${reason.roots}`
              : reason.kind === 'base'
                ? `base ${reason.references}`
                : reason.kind === 'waits'
                  ? `waits for ${reason.packages}`
                  : reason.kind;
      return [name.slice(2, -2), followers > 0 ? [said, followers] : said];
    }),
  );
}

const chain: Record<string, PackageFiles> = {
  seed: { build: { image: 'base:1', steps: ['one', 'two'] }, files: { patch: 'x' } },
  mid: { build: { ...needs('seed'), steps: ['mid'] } },
  top: { build: { ...needs('mid'), steps: ['top'], env: ['A=1'] } },
  side: { build: { image: 'base:1', steps: ['side'] } },
};

test('what is there is not built, and what was never built is new', async (t) => {
  const tree = new Tree(t, chain);
  const plan = await tree.plan();
  const built = builtOf(plan);
  const cached = { mid: 'cached', seed: 'cached', side: 'cached', top: 'cached' };
  assert.deepEqual(await explained(plan, built, built.keys), cached);
  const none = builtOf();
  assert.deepEqual(await explained(plan, none, none.keys), {
    mid: 'new',
    seed: 'new',
    side: 'new',
    top: 'new',
  });
  const isUnchanged = (name: string): boolean => name !== 't/side-1';
  assert.deepEqual(await explained(plan, none, none.keys, { isUnchanged }), {
    mid: 'unchanged',
    seed: 'unchanged',
    side: 'new',
    top: 'unchanged',
  });
  assert.deepEqual(await explained(plan, built, new Set()), {
    mid: 'lost',
    seed: 'lost',
    side: 'lost',
    top: 'lost',
  });
});

test('a change is told at its root, and the rest follows', async (t) => {
  const tree = new Tree(t, chain);
  const before = builtOf(await tree.plan());
  tree.write({ seed: { build: { image: 'base:1', steps: ['one', '2', 'three'] }, files: { patch: 'x' } } });
  assert.deepEqual(await explained(await tree.plan(), before, before.keys), {
    seed: [
      [
        '{"kind":"command","phase":"steps","index":1,"was":"two","is":"2"}',
        '{"kind":"command","phase":"steps","index":2,"is":"three"}',
      ],
      2,
    ],
    mid: 'follows t/seed-1 because of t/seed-1',
    top: 'follows t/mid-1 because of t/seed-1',
    side: 'cached',
  });
});

test('a package that changed itself says so, whatever changed below', async (t) => {
  const tree = new Tree(t, chain);
  const before = builtOf(await tree.plan());
  tree.write({
    seed: { build: { image: 'base:1', steps: ['one', 'two'] }, files: { patch: 'y', new: '' } },
    top: { build: { ...needs('mid'), steps: ['top'], env: ['A=2', 'B=1'] } },
  });
  assert.deepEqual(await explained(await tree.plan(), before, before.keys), {
    seed: [
      ['{"kind":"file","path":"new","how":"added"}', '{"kind":"file","path":"patch","how":"content"}'],
      1,
    ],
    mid: 'follows t/seed-1 because of t/seed-1',
    top: ['{"kind":"variable","name":"A","was":"1","is":"2"}', '{"kind":"variable","name":"B","is":"1"}'],
    side: 'cached',
  });
});

test('what was built meanwhile by others is the root all the same', async (t) => {
  const tree = new Tree(t, chain);
  const before = builtOf(await tree.plan());
  tree.write({ seed: { build: { image: 'base:1', steps: ['one'] }, files: { patch: 'x' } } });
  const plan = await tree.plan();
  const keyOf = (name: string): string => {
    const identity = plan.nodes.find((node) => node.package === name)?.identity;
    return identity?.state === 'known' ? identity.key : '';
  };
  const cached = new Set([...before.keys, keyOf('t/seed-1'), keyOf('t/mid-1')]);
  const { seed, top } = await explained(plan, before, cached);
  const change = '{"kind":"command","phase":"steps","index":1,"was":"two"}';
  assert.deepEqual([seed, top], [[[change], 1], 'follows t/mid-1 because of t/seed-1']);
});

test('another base image, another mode, a removed file', async (t) => {
  const tree = new Tree(t, chain);
  const before = builtOf(await tree.plan());
  tree.base = 'sha256:1';
  assert.deepEqual(await explained(await tree.plan(), before, before.keys), {
    seed: ['base base:1', 2],
    mid: 'follows t/seed-1 because of t/seed-1',
    top: 'follows t/mid-1 because of t/seed-1',
    side: 'base base:1',
  });
  tree.base = 'sha256:0';
  chmodSync(join(tree.path('seed'), 'patch'), 0o755);
  const { seed } = await explained(await tree.plan(), before, before.keys);
  assert.deepEqual(seed, [['{"kind":"file","path":"patch","how":"type"}'], 2]);
  rmSync(join(tree.path('seed'), 'patch'));
  const { seed: without } = await explained(await tree.plan(), before, before.keys);
  assert.deepEqual(without, [['{"kind":"file","path":"patch","how":"removed"}'], 2]);
});

test('copies, retrieved files and what is built on contents', async (t) => {
  const tree = new Tree(t, {
    ...chain,
    copy: {
      build: {
        image: 'base:1',
        steps: ['copy'],
        copy: [{ package: { name: 'seed', category: 't', version: '>=0' }, source: '/a', destination: '/b' }],
      },
    },
    get: { build: { ...needs('side'), retrieve: ['side-t-1.package.tar'], steps: ['get'] } },
  });
  const before = builtOf(await tree.plan());
  tree.write({ seed: { build: { image: 'base:1', steps: ['one'] }, files: { patch: 'x' } } });
  const { copy, get } = await explained(await tree.plan(), before, before.keys);
  assert.deepEqual([copy, get], ['follows t/seed-1 because of t/seed-1', 'waits for t/side-1']);
});

test('of several earlier builds the nearest one is compared; another version is one of them', async (t) => {
  const tree = new Tree(t, chain);
  const first = await tree.plan();
  tree.write({ side: { build: { image: 'base:1', steps: ['other', 'steps', 'there'], env: ['X=1'] } } });
  const before = builtOf(await tree.plan(), first);
  tree.write({ side: { build: { image: 'base:1', steps: ['side'] }, definition: { version: '2' } } });
  const plan = await tree.plan();
  const packages = await explainPlan(plan, {
    isCached: (key) => before.keys.has(key),
    isUnchanged: () => false,
    earlier: before,
    rebuild: false,
  });
  const reason = packages.find((one) => one.package === 't/side-2')?.reason;
  assert.deepEqual(reason?.kind === 'changed' && reason.changes, [{ kind: 'version', was: '1', is: '2' }]);
});

test('what was asked to be built again says so, and where a change stands is told', async (t) => {
  const tree = new Tree(t, chain);
  const plan = await tree.plan();
  const built = builtOf(plan);
  const { side, top } = await explained(plan, built, built.keys, { rebuild: true });
  assert.deepEqual([side, top], ['asked', 'asked']);
  writeFileSync(join(tree.path('side'), 'build.yaml'), 'image: base:1\nenv: [A=1]\nsteps:\n- x\n- side\n');
  const packages = await explainPlan(await tree.plan(), {
    isCached: (key) => built.keys.has(key),
    isUnchanged: () => false,
    earlier: built,
    rebuild: false,
  });
  const reason = packages.find((one) => one.package === 't/side-1')?.reason;
  assert.ok(reason?.kind === 'changed');
  const lines = reason.changes.map((change) => ('place' in change ? change.place.line : 0));
  assert.deepEqual(lines, [4, 2]);
});
