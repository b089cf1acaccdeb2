import assert from 'node:assert/strict';
import test from 'node:test';
import {
  artifactHash,
  type BaseIdentity,
  baseKey,
  type CutInputs,
  finalKey,
  type KeyInputs,
  nodeKey,
} from '../../src/plan/index.ts';
import type { BuildSpec, Located, PackageId } from '../../src/spec/index.ts';

const located = (...values: string[]): Located<string>[] =>
  values.map((value, at) => ({ value, place: { file: 'build.yaml', line: at + 1 } }));

const pack: PackageId = { name: 'n', category: 'c', version: '1' };
const spec: BuildSpec = {
  requires: [],
  requiresFinalImages: false,
  conflicts: [],
  prelude: located('p'),
  steps: located('s', 't'),
  env: located('A=1'),
  copy: [{ image: 'i', source: '/s', destination: '/d', place: { file: 'x' } }],
  unpack: false,
  includes: [],
  excludes: [],
  subpackages: [],
  retrieve: [],
  place: { file: 'build.yaml' },
};
const inputs: KeyInputs = {
  parent: 'k',
  platform: 'linux/amd64',
  context: 'h',
  copies: ['ck'],
  retrieved: [{ name: 'f', sha256: 'x' }],
};
const key = nodeKey(pack, spec, inputs);

test('a key is the same for the same run, and 64 hexadecimal digits', () => {
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.equal(nodeKey({ ...pack }, { ...spec }, { ...inputs }), key);
});

test('what has no part in a run has none in its key', () => {
  const same: Partial<BuildSpec>[] = [
    { includes: located('^/x') },
    { excludes: located('y$') },
    { unpack: true },
    { packageDir: { value: '/out', place: { file: 'x' } } },
    { subpackages: [{} as never] },
    { place: { file: 'elsewhere' } },
    { steps: located('s', 't').map((one) => ({ ...one, place: { file: '/another/place', line: 9 } })) },
    { retrieve: located('*') },
    { requires: [{ name: 'x', category: '', selector: '' } as never] },
    { provides: [] },
    // What it is called is not what it is.
    { copy: [{ image: 'other-name', source: '/s', destination: '/d', place: { file: 'y' } }] },
  ];
  for (const change of same)
    assert.equal(nodeKey(pack, { ...spec, ...change }, inputs), key, JSON.stringify(change));
});

test('everything that has a part in a run has one in its key', () => {
  const keys = [
    key,
    nodeKey({ ...pack, name: 'm' }, spec, inputs),
    nodeKey({ ...pack, category: 'd' }, spec, inputs),
    nodeKey({ ...pack, version: '1.0' }, spec, inputs),
    // No two ways to write one text.
    nodeKey({ name: 'nc', category: '', version: '1' }, spec, inputs),
    nodeKey(pack, { ...spec, prelude: [] }, inputs),
    nodeKey(pack, { ...spec, prelude: located('p', 's'), steps: located('t') }, inputs),
    nodeKey(pack, { ...spec, steps: located('t', 's') }, inputs),
    nodeKey(pack, { ...spec, steps: located('st') }, inputs),
    nodeKey(pack, { ...spec, env: located('A=2') }, inputs),
    nodeKey(pack, { ...spec, copy: [] }, { ...inputs, copies: [] }),
    nodeKey(
      pack,
      { ...spec, copy: [{ image: 'i', source: '/s', destination: '/e', place: { file: 'x' } }] },
      inputs,
    ),
    nodeKey(pack, spec, { ...inputs, copies: ['cl'] }),
    nodeKey(pack, spec, { ...inputs, parent: 'l' }),
    nodeKey(pack, spec, { ...inputs, platform: 'linux/arm64' }),
    nodeKey(pack, spec, { ...inputs, context: 'i' }),
    nodeKey(pack, spec, { ...inputs, retrieved: [] }),
    nodeKey(pack, spec, { ...inputs, retrieved: [{ name: 'g', sha256: 'x' }] }),
    nodeKey(pack, spec, { ...inputs, retrieved: [{ name: 'f', sha256: 'y' }] }),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test('an image from outside is its layers and its configuration, whatever it is called and where it lies', () => {
  const base: BaseIdentity = {
    layers: ['a', 'b'],
    config: { env: ['A=1'], os: 'linux', architecture: 'arm64', variant: 'v8' },
  };
  const more = { reference: 'x:1', created: 5, labels: { a: 'b' } };
  assert.equal(baseKey({ ...base, ...more } as BaseIdentity), baseKey(base));
  const others = [
    { ...base, layers: ['b', 'a'] },
    { ...base, layers: ['a'] },
    ...(['os', 'architecture', 'variant'] as const).map((name) => ({
      ...base,
      config: { ...base.config, [name]: 'x' },
    })),
    { ...base, config: { ...base.config, env: ['A=1', 'B=2'] } },
  ];
  assert.equal(new Set([base, ...others].map(baseKey)).size, others.length + 1);
  assert.notEqual(finalKey(['a', 'b']), finalKey(['b', 'a']));
});

test('an artifact is another when anything that is written of it is', () => {
  const cut: CutInputs = {
    fingerprint: 'n-c-1',
    key,
    kind: 'delta',
    packageDir: '',
    includes: ['a'],
    excludes: [],
    within: null,
    latest: 1,
    metadata: '{}',
  };
  const others: Partial<CutInputs>[] = [
    { fingerprint: 'n-c-2' },
    { key: 'k' },
    { kind: 'unpack' },
    { packageDir: 'x' },
    { includes: [], excludes: ['a'] },
    { within: { includes: [], excludes: [] } },
    { latest: 2 },
    { metadata: '[]' },
  ];
  const hashes = [cut, ...others.map((other) => ({ ...cut, ...other }))].map(artifactHash);
  assert.equal(new Set(hashes).size, hashes.length);
});
