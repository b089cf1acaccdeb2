import assert from 'node:assert/strict';
import test from 'node:test';
import {
  artifactHash,
  type BaseIdentity,
  baseKey,
  type CutInputs,
  contextHash,
  finalKey,
  KEY_SCHEME,
  type KeyInputs,
  nodeKey,
} from '../../src/resolve/index.ts';

const inputs: KeyInputs = {
  scheme: KEY_SCHEME,
  name: 'n',
  category: 'c',
  version: '1',
  platform: 'linux/amd64',
  parent: 'k',
  prelude: ['p'],
  steps: ['s', 't'],
  env: ['A=1'],
  context: [{ path: 'x', type: 'file', content: 'h' }],
  copies: [{ source: '/s', destination: '/d', from: 'ck' }],
  retrieved: [{ path: 'f', sha256: 'x' }],
};
const key = nodeKey(inputs);

test('a key is the same for the same inputs, and 64 hexadecimal digits', () => {
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.equal(nodeKey({ ...inputs }), key);
  assert.equal(nodeKey(inputs, contextHash(inputs.context)), key);
});

test('every input has a part in the key', () => {
  const changes: readonly Partial<KeyInputs>[] = [
    { scheme: KEY_SCHEME + 1 },
    { name: 'm' },
    { category: 'd' },
    { version: '1.0' },
    // There are no two ways to write one text.
    { name: 'nc', category: '' },
    { prelude: [] },
    { prelude: ['p', 's'], steps: ['t'] },
    { steps: ['t', 's'] },
    { steps: ['st'] },
    { env: ['A=2'] },
    { copies: [] },
    { copies: [{ source: '/s', destination: '/e', from: 'ck' }] },
    { copies: [{ source: '/s', destination: '/d', from: 'cl' }] },
    { parent: 'l' },
    { platform: 'linux/arm64' },
    { context: [] },
    { context: [{ path: 'y', type: 'file', content: 'h' }] },
    { context: [{ path: 'x', type: 'executable', content: 'h' }] },
    { context: [{ path: 'x', type: 'file', content: 'i' }] },
    { retrieved: [] },
    { retrieved: [{ path: 'g', sha256: 'x' }] },
    { retrieved: [{ path: 'f', sha256: 'y' }] },
  ];
  const keys = [key, ...changes.map((change) => nodeKey({ ...inputs, ...change }))];
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
