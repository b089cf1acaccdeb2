import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { planBuild } from '../../src/plan/index.ts';
import {
  decodePlan,
  encodePlan,
  type FindBaseImage,
  KEY_SCHEME,
  PLAN_FORMAT,
  PlanFormatError,
  type ResolvedPlan,
  resolvePlan,
} from '../../src/resolve/index.ts';
import { loadTrees } from '../../src/tree/index.ts';
import { definition, folder as folderOf, forms } from '../tree/support.ts';

const tree = {
  'seed/definition.yaml': definition('t/seed-1'),
  'seed/build.yaml': 'image: base\nenv: [A=1, "B=$A/x"]\nprelude: [p]\nsteps: [s]\n',
  'seed/tool': '#!/bin/sh\n',
  'seed/data/x': 'x',
  'top/definition.yaml': definition('t/top-1', 'labels: {"1": a, b: c}\n'),
  'top/build.yaml': `${forms('requires', 't/seed')}steps: [x]\nincludes: [^/a]\nsubpackages: [{name: sub, category: t, version: "1", includes: [^/a/b]}]\n`,
  'copy/definition.yaml': definition('t/copy-1'),
  'copy/build.yaml':
    'image: other\nsteps: [x]\ncopy: [{package: {category: t, name: top}, source: /x, destination: /y}, {image: third, source: /, destination: /z}]\n',
  'final/definition.yaml': definition('t/final-1'),
  'final/build.yaml': `requires_final_images: true\n${forms('requires', 't/top')}steps: [x]\n`,
  'get/definition.yaml': definition('t/get-1'),
  'get/build.yaml': `${forms('requires', 't/top')}retrieve: ["*.tar"]\nsteps: [x]\n`,
  'after/definition.yaml': definition('t/after-1'),
  'after/build.yaml': `${forms('requires', 't/get')}steps: [x]\n`,
  'lost/definition.yaml': definition('t/lost-1'),
  'lost/build.yaml': 'image: lost\nsteps: [x]\n',
  'behind/definition.yaml': definition('t/behind-1'),
  'behind/build.yaml': `${forms('requires', 't/lost')}steps: [x]\n`,
};

const baseImage: FindBaseImage = async (reference, asker, place) =>
  reference === 'lost'
    ? {
        ok: false,
        diagnostics: [
          {
            code: 'no-such-image',
            severity: 'error',
            message: 'lost',
            package: asker.key,
            ...(place && { place }),
          },
        ],
      }
    : {
        ok: true,
        image: {
          reference,
          name: reference,
          layers: [`sha256:${reference}`],
          config: { env: ['PATH=/bin'], os: 'linux', architecture: 'amd64', variant: '' },
          created: 400_000_000,
        },
      };

async function resolved(folder: string): Promise<ResolvedPlan> {
  const loaded = await loadTrees(['.'], { cwd: folder });
  const buildable = loaded.packages.filter(({ build }) => build !== undefined);
  return resolvePlan(planBuild(loaded, buildable), { find: (key) => loaded.byKey(key), baseImage });
}

const identity = (plan: ResolvedPlan, name: string) =>
  plan.nodes.find((node) => node.package === name)?.identity;

const keys = ({ nodes }: ResolvedPlan): unknown[] =>
  nodes.map(({ package: name, identity: one }) => [name, one.state === 'known' ? one.key : one.state]);

const sample = (t: TestContext): string => folderOf(t, tree);

test('what is known, what waits and what failed is told apart', async (t) => {
  const plan = await resolved(sample(t));
  assert.equal(identity(plan, 't/top-1')?.state, 'known');
  assert.deepEqual(identity(plan, 't/get-1'), { state: 'pending', waitsFor: 'retrieve' });
  assert.deepEqual(identity(plan, 't/after-1'), { state: 'pending', waitsFor: 'earlier' });
  const lost = identity(plan, 't/lost-1');
  assert.deepEqual(lost?.state === 'failed' && lost.diagnostics.map(({ code }) => code), ['no-such-image']);
  assert.deepEqual(identity(plan, 't/behind-1'), { state: 'failed', diagnostics: [], because: 't/lost-1' });
  assert.deepEqual(
    plan.artifacts.flatMap(({ package: name, hashes }) => (hashes === undefined ? [name] : [])).sort(),
    ['t/after-1', 't/behind-1', 't/get-1', 't/lost-1'],
  );
  const seed = plan.nodes.find((node) => node.package === 't/seed-1');
  assert.deepEqual(
    seed?.environment.state === 'known' && seed.environment.image.filter(([name]) => name !== 'HOME'),
    [
      ['PATH', '/bin'],
      ['A', '1'],
      ['B', '1/x'],
    ],
  );
});

test('a plan written as JSON is read back the same, also in another folder', async (t) => {
  const folder = sample(t);
  const plan = await resolved(folder);
  const text = encodePlan(plan, folder);
  assert.equal(encodePlan(decodePlan(text, folder), folder), text);
  assert.ok(!text.includes(folder), 'no path of this machine is in it');
  const other = sample(t);
  assert.equal(decodePlan(text, other).packages[0]?.folder.startsWith(other), true);
  assert.equal(encodePlan(await resolved(other), other), text);
});

test('keys do not depend on the modes of a checkout, nor on where it lies', async (t) => {
  const folder = sample(t);
  chmodSync(join(folder, 'seed/tool'), 0o755);
  const open = sample(t);
  chmodSync(join(open, 'seed/tool'), 0o777);
  chmodSync(join(open, 'seed/data'), 0o777);
  chmodSync(join(open, 'seed/data/x'), 0o666);
  assert.deepEqual(keys(await resolved(open)), keys(await resolved(folder)));
  chmodSync(join(open, 'seed/tool'), 0o666);
  assert.notDeepEqual(keys(await resolved(open)), keys(await resolved(folder)));
});

test('the JSON Schema describes what is written', async (t) => {
  const schema = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../docs/plan.schema.json'), 'utf8'),
  ) as object;
  const validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema);
  const folder = sample(t);
  const plan = JSON.parse(encodePlan(await resolved(folder), folder)) as { nodes: Record<string, unknown>[] };
  assert.ok(validate(plan), JSON.stringify(validate.errors, null, 1));
  for (const node of plan.nodes) {
    const { identity: _, ...rest } = node;
    assert.ok(!validate({ ...plan, nodes: [rest] }));
    assert.ok(!validate({ ...plan, nodes: [{ ...node, unknown: 1 }] }));
  }
});

test('a text that is not a plan is refused with the reason', async (t) => {
  const folder = sample(t);
  const plan = JSON.parse(encodePlan(await resolved(folder), folder)) as ResolvedPlan;
  const refused = (value: unknown): string => {
    try {
      decodePlan(typeof value === 'string' ? value : JSON.stringify(value), folder);
    } catch (error) {
      assert.ok(error instanceof PlanFormatError, String(error));
      return error.message;
    }
    return 'accepted';
  };
  assert.match(refused('{'), /^not JSON: /);
  assert.equal(refused('[]'), 'plan format undefined is not supported: expected 1');
  assert.equal(refused('7'), 'expected a JSON object');
  assert.match(refused({ ...plan, format: PLAN_FORMAT + 1 }), /^plan format 2 is not supported/);
  assert.match(refused({ ...plan, keyScheme: KEY_SCHEME + 1 }), /^key scheme 3 is not supported/);
  assert.equal(refused({ ...plan, nodes: undefined }), '"nodes" is missing: expected a list');
  assert.match(refused({ ...plan, packages: [] }), /^the plan is damaged: package .* not found in the plan/);
  assert.match(
    refused({ ...plan, nodes: plan.nodes.toReversed().map((node, id) => ({ ...node, id })) }),
    /^the plan is damaged: node \d+ comes before node \d+, which it needs$/,
  );
  assert.match(refused({ ...plan, nodes: [7] }), /^the plan is damaged: /);
  assert.equal(refused(plan), 'accepted');
});

test('a change of one file changes its key and those on it, and no other', async (t) => {
  const folder = sample(t);
  const before = await resolved(folder);
  mkdirSync(join(folder, 'top/data'));
  writeFileSync(join(folder, 'top/data/y'), 'y');
  const after = await resolved(folder);
  const changed = before.nodes.filter(
    ({ identity: one }, at) => JSON.stringify(one) !== JSON.stringify(after.nodes[at]?.identity),
  );
  assert.deepEqual(changed.map((node) => node.package).sort(), ['t/copy-1', 't/final-1', 't/top-1']);
});
