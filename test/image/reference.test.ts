import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Digest,
  familiarName,
  formatLocation,
  formatReference,
  type ImageLocation,
  parseLocation,
  parseReference,
  type Reference,
} from '../../src/image/index.ts';

const hex = 'a'.repeat(64);

test('names of images, with what Docker fills in', () => {
  for (const [text, full, familiar] of [
    ['debian', 'docker.io/library/debian:latest', 'debian'],
    ['debian:12', 'docker.io/library/debian:12', 'debian:12'],
    ['docker.io/debian', 'docker.io/library/debian:latest', 'debian'],
    ['index.docker.io/library/debian', 'docker.io/library/debian:latest', 'debian'],
    ['me/app', 'docker.io/me/app:latest', 'me/app'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app'],
    ['LOCAL/app', 'LOCAL/app:latest', 'LOCAL/app'],
    ['127.0.0.1:5000/a/b:1', '127.0.0.1:5000/a/b:1', '127.0.0.1:5000/a/b:1'],
    ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a'],
    [`a@sha256:${hex}`, `docker.io/library/a@sha256:${hex}`, `a@sha256:${hex}`],
    [`a:latest@sha256:${hex}`, `docker.io/library/a:latest@sha256:${hex}`, `a:latest@sha256:${hex}`],
    ['docker.io/a.b/c', 'docker.io/a.b/c:latest', 'docker.io/a.b/c'],
    ['a__b--c.d', 'docker.io/library/a__b--c.d:latest', 'a__b--c.d'],
  ] as const) {
    const reference = parseReference(text);
    assert.ok(typeof reference !== 'string', String(reference));
    assert.equal(formatReference(reference), full);
    assert.equal(familiarName(reference), familiar);
  }
});

test('what is wrong with a name', () => {
  for (const [text, what] of [
    ['', /empty/],
    ['https://ghcr.io/a', /did you mean "ghcr.io\/a"/],
    ['Debian:12', /lower case; did you mean "debian"/],
    ['a/', /last one/],
    ['a//b', /between slashes/],
    ['a..b', /invalid part "a\.\.b"/],
    ['-a', /invalid part "-a"/],
    ['a:', /tag ""/],
    ['a:b:c', /tag "b:c"/],
    ['a:.b', /not starting with/],
    [`a:${'x'.repeat(129)}`, /tag/],
    [`a@sha256:${hex.slice(1)}`, /after the @/],
    [`a@sha256:${hex.toUpperCase()}`, /lower-case/],
    [`a@sha512:${hex}${hex}`, /after the @/],
    ['a@', /after the @/],
    ['h:port/a', /expected HOST/],
    ['h:99999/a', /expected HOST/],
    ['h:0/a', /expected HOST/],
    ['-h.x/a', /expected HOST/],
    ['h.x/', /repository is missing/],
    [`h.x/${'a'.repeat(256)}`, /256 characters/],
    [hex, /image id/],
    ['a\n', /expected lower-case/],
    ['\u001b[31mred', /expected lower-case/],
  ] as const) {
    const problem = parseReference(text);
    assert.ok(typeof problem === 'string', text);
    assert.match(problem, what);
    assert.doesNotMatch(problem, /[\u0000-\u001f]/);
  }
});

test('places of images', () => {
  for (const [word, place] of [
    ['oci:a/b', { kind: 'oci', path: 'a/b' }],
    ['oci:/a:1.2', { kind: 'oci', path: '/a', tag: '1.2' }],
    ['oci-archive:x.tar:docker.io/a/b:1', { kind: 'oci-archive', path: 'x.tar', tag: 'docker.io/a/b:1' }],
    ['docker-archive:x.tar', { kind: 'docker-archive', path: 'x.tar' }],
    ['rootfs:/a:b', { kind: 'rootfs', path: '/a:b' }],
  ] as const)
    assert.deepEqual(parseLocation(word), place);
  const name = { kind: 'name', reference: parseReference('oci:1') };
  assert.deepEqual(parseLocation('docker://oci:1'), name);
  for (const wrong of ['oci:', 'oci::a', 'oci:a:', 'oci:a:b c', 'docker-archive:a:B', 'rootfs:', 'rootfs:\0'])
    assert.equal(typeof parseLocation(wrong), 'string', wrong);
});

const lower = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const component = fc
  .tuple(lower, fc.array(fc.tuple(fc.constantFrom('.', '_', '__', '-', '---'), lower), { maxLength: 2 }))
  .map(([first, rest]) => first + rest.flat().join(''));
const registry = fc.oneof(
  fc.constantFrom('docker.io', 'localhost', 'localhost:5000', '[::1]:5000', 'Upper'),
  fc
    .tuple(lower, lower, fc.integer({ min: 1, max: 65_535 }))
    .map(([host, domain, port]) => `${host}.${domain}:${port}`),
);
const tag = fc.stringMatching(/^[\w][\w.-]{0,20}$/);
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((text): Digest => `sha256:${text}`);
const reference: fc.Arbitrary<Reference> = fc
  .record({
    registry,
    parts: fc.array(component, { minLength: 1, maxLength: 3 }),
    named: fc.oneof(fc.record({ tag }), fc.record({ digest }), fc.record({ tag, digest })),
  })
  .map(({ registry, parts, named }) => ({
    registry,
    repository: registry === 'docker.io' && parts.length === 1 ? `library/${parts[0]}` : parts.join('/'),
    ...named,
  }));

test('a name survives being written and read, in both forms', () => {
  fc.assert(
    fc.property(reference, (one) => {
      assert.deepEqual(parseReference(formatReference(one)), one);
      assert.deepEqual(parseReference(familiarName(one)), one);
    }),
  );
});

test('a place survives being written and read', () => {
  const path = fc.string({ minLength: 1 }).filter((text) => !/[:\0]/.test(text));
  const place: fc.Arbitrary<ImageLocation> = fc.oneof(
    reference.map((reference) => ({ kind: 'name' as const, reference })),
    fc.record({ kind: fc.constant('rootfs' as const), path }),
    fc.record({ kind: fc.constantFrom('oci' as const, 'oci-archive' as const), path }),
    fc.record({ kind: fc.constantFrom('oci' as const, 'oci-archive' as const), path, tag: lower }),
    fc.record({ kind: fc.constant('docker-archive' as const), path, name: reference }),
  );
  fc.assert(fc.property(place, (one) => assert.deepEqual(parseLocation(formatLocation(one)), { ...one })));
});

test('any text is a name or a sentence', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z./:@-]{0,20}$/)), (text) => {
      const one = parseReference(text);
      if (typeof one !== 'string') assert.deepEqual(parseReference(formatReference(one)), one);
    }),
  );
});
