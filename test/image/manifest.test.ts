import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Descriptor,
  type Digest,
  formatPlatform,
  hostPlatform,
  listPlatforms,
  type Platform,
  parseConfiguration,
  parseManifest,
  parsePlatform,
  selectPlatform,
} from '../../src/image/index.ts';

const digest: Digest = `sha256:${'0'.repeat(64)}`;
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 1 };
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
const docker = 'application/vnd.docker.distribution.manifest.v2+json';
const index = 'application/vnd.oci.image.index.v1+json';

test('manifests of images and indexes', () => {
  const image = parseManifest(bytes({ schemaVersion: 2, config, layers: [layer] }), docker, 'it');
  assert.deepEqual(image, { kind: 'image', mediaType: docker, config, layers: [layer] });
  const none = parseManifest(bytes({ schemaVersion: 2, config, layers: null }), undefined, 'it');
  assert.ok(none.kind === 'image' && none.layers.length === 0);
  const list = parseManifest(bytes({ manifests: [layer] }), 'text/plain', 'it');
  assert.deepEqual(list, { kind: 'index', mediaType: index, manifests: [layer] });
});

test('what is no manifest is refused by what is wrong with it', () => {
  const cases: readonly (readonly [unknown, string | undefined, RegExp])[] = [
    [[], undefined, /it is not an object/],
    [{ schemaVersion: 1 }, undefined, /schema 1/],
    [{ config, layers: [], manifests: [] }, undefined, /both/],
    [{ mediaType: docker, config, layers: [] }, index, /but its source declares/],
    [{ mediaType: 'text/plain', config, layers: [] }, undefined, /unknown media type/],
    [{ mediaType: index }, undefined, /lists no manifests/],
    [{ config, layers: 3 }, undefined, /lists no layers/],
    [{ layers: [] }, undefined, /configuration is not an object/],
    [{ config, layers: [layer, { ...layer, size: -1 }] }, undefined, /layer 2 has the invalid size -1/],
    [{ config, layers: [{ ...layer, size: 1.5 }] }, undefined, /size/],
    [{ config, layers: [{ ...layer, digest: 'sha256:../../etc' }] }, undefined, /invalid digest/],
    [{ config, layers: [{ digest, size: 1 }] }, undefined, /media type/],
    [{ config, layers: Array.from({ length: 10_001 }, () => layer) }, undefined, /10001 layers/],
  ];
  for (const [value, type, what] of cases)
    assert.throws(() => parseManifest(bytes(value), type, 'it'), { name: 'ImageError', message: what });
  assert.throws(() => parseManifest(Buffer.from('{'), undefined, 'it'), { message: 'it is not JSON' });
  assert.throws(() => parseManifest(Buffer.from([0x22, 0xff, 0x22]), undefined, 'it'), /not JSON/);
});

test('configurations', () => {
  const good = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest] } };
  assert.deepEqual(parseConfiguration(bytes(good), 'it'), good);
  const empty = parseConfiguration(
    bytes({ ...good, rootfs: { diff_ids: null }, config: { Env: null } }),
    'it',
  );
  assert.deepEqual(empty.rootfs.diff_ids, []);
  for (const wrong of [
    {},
    { ...good, rootfs: { diff_ids: ['x'] } },
    { ...good, os: undefined },
    { ...good, config: [] },
    { ...good, config: { Env: [1] } },
    { ...good, config: { Cmd: 'sh' } },
    { ...good, config: { Labels: { a: 1 } } },
  ])
    assert.throws(() => parseConfiguration(bytes(wrong), 'it'), { name: 'ImageError' });
});

const of = (...names: readonly string[]): Descriptor[] =>
  names.map((name, i) => {
    const platform = parsePlatform(name);
    assert.ok(typeof platform !== 'string');
    return { mediaType: docker, digest, size: i, platform };
  });

test('the image of an index that suits a platform', () => {
  const select = (wanted: string, ...names: readonly string[]): string | undefined => {
    const chosen = selectPlatform(of(...names), parsePlatform(wanted) as Platform);
    return chosen?.platform && formatPlatform(chosen.platform);
  };
  const arms = ['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm64'];
  assert.equal(select('linux/arm/v6', ...arms), 'linux/arm/v6');
  assert.equal(select('linux/arm', ...arms), 'linux/arm/v7');
  assert.equal(select('linux/arm/v8', ...arms), 'linux/arm/v7');
  assert.equal(select('linux/arm/v4', ...arms), undefined);
  assert.equal(select('linux/arm64/v8', ...arms), 'linux/arm64');
  assert.equal(select('linux/arm64', 'linux/arm64/v8'), 'linux/arm64/v8');
  assert.equal(select('linux/amd64', 'linux/amd64/v3', 'linux/amd64'), 'linux/amd64');
  assert.equal(select('linux/amd64/v4', 'linux/amd64', 'linux/amd64/v3'), 'linux/amd64/v3');
  assert.equal(select('linux/amd64', 'windows/amd64'), undefined);
  assert.equal(select('linux/s390x', 'linux/s390x'), 'linux/s390x');
  const [bare] = [{ mediaType: docker, digest, size: 1 }];
  assert.equal(selectPlatform([bare], hostPlatform('x64')), bare);
  assert.equal(selectPlatform([bare, ...of('linux/arm64')], hostPlatform('x64')), undefined);
  // What tells of an image is none.
  const attestation = { ...bare, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } };
  assert.equal(selectPlatform([bare, attestation], hostPlatform('x64')), bare);
  assert.equal(selectPlatform([...of('unknown/unknown'), bare], hostPlatform('x64')), bare);
  assert.equal(selectPlatform([attestation], hostPlatform('x64')), undefined);
  assert.equal(listPlatforms([...of('linux/amd64', 'unknown/unknown', 'linux/amd64'), bare]), 'linux/amd64');
  assert.equal(listPlatforms([]), 'none');
});

test('platforms as words', () => {
  assert.deepEqual(parsePlatform('linux/arm/v7'), { os: 'linux', architecture: 'arm', variant: 'v7' });
  assert.deepEqual(hostPlatform('x64'), { os: 'linux', architecture: 'amd64' });
  for (const wrong of ['', 'linux', 'linux/', 'a/b/c/d', 'Linux/amd64'])
    assert.equal(typeof parsePlatform(wrong), 'string', wrong);
});
