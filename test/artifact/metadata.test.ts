import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { parse as parseYaml } from 'yaml';
import {
  type Metadata,
  MetadataError,
  parseMetadata,
  readPackage,
  serializeMetadata,
} from '../../src/artifact/index.ts';
import { bare, idle } from './sample.ts';

const foreign = readFileSync(join(import.meta.dirname, 'fixtures', 'foo-utils-1.0.metadata.yaml'), 'utf8');

/** Whatever a tree or a file name can hold, and what YAML is known to misread. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    ...[
      '',
      '1.10',
      '1_0',
      'yes',
      'y',
      'on',
      'null',
      '~',
      '0o7',
      '12:30:00',
      '2001-01-01',
      '=',
      '<<',
      '#',
      '- a',
    ],
    ...[
      'a: b',
      ' a',
      'a ',
      'a\n',
      '\n',
      'a\n b\n\n',
      '\t',
      '\ufeff',
      '\x85',
      '\u2028',
      '\x7f',
      '\x1b',
      '__proto__',
    ],
    ...[
      '- ',
      '? ',
      '---',
      '...',
      '!!str',
      '&a',
      '*a',
      '%',
      '@',
      '`',
      '"',
      "'",
      '>=0',
      '|',
      '>',
      '{}',
      '[]',
      ',',
    ],
  ),
);

const texts = fc.array(text, { maxLength: 3 });
const textMap = fc.array(fc.tuple(text, text), { maxLength: 3 }).map((pairs) => new Map(pairs));
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true });
const form = record({ name: text, category: text, selector: text });
const forms = fc.array(form, { maxLength: 2 });
const onePackage = record({
  name: text,
  category: text,
  version: text,
  description: text,
  license: text,
  uri: texts,
  hidden: fc.boolean(),
  labels: textMap,
  annotations: textMap,
  useFlags: texts,
  requires: forms,
  conflicts: forms,
  provides: forms,
});
const named = onePackage.map((one) => ({ ...one, name: `n${one.name}` }));
const build = record({
  package: onePackage,
  image: text,
  seed: text,
  prelude: texts,
  steps: texts,
  env: texts,
  copy: fc.array(
    fc.oneof(
      record({ image: text.map((one) => `i${one}`), source: text, destination: text }),
      record({
        package: form.map((one) => ({ ...one, name: `n${one.name}` })),
        source: text,
        destination: text,
      }),
    ),
    { maxLength: 2 },
  ),
  packageDir: text,
  retrieve: texts,
  unpack: fc.boolean(),
  includes: texts,
  excludes: texts,
  requiresFinalImages: fc.boolean(),
  closure: fc.array(record({ package: onePackage, buildHash: text, packageHash: text }), { maxLength: 2 }),
});
const metadata: fc.Arbitrary<Metadata> = record({
  record: record({ key: text.map((one) => `k${one}`), artifact: text, size: fc.nat() }),
  archive: text.map((one) => `${one.replaceAll('/', '')}.package.tar`),
  compression: fc.constantFrom('none' as const, 'gzip' as const, 'zstd' as const),
  sha256: text.map((one) => `a${one}`),
  files: texts,
  runtime: named,
  build,
});

test('metadata is read as it was written', () => {
  fc.assert(
    fc.property(metadata, (one) => {
      assert.deepEqual(parseMetadata(serializeMetadata(one)), one);
    }),
    { numRuns: 100 },
  );
});

test('the package that a metadata file is about is read without the rest', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-metadata-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await fc.assert(
    fc.asyncProperty(metadata, async (one) => {
      writeFileSync(join(folder, 'x.metadata.yaml'), serializeMetadata(one));
      const { name, category, version } = one.runtime;
      assert.deepEqual(await readPackage(folder, 'x'), { name, category, version });
    }),
    { numRuns: 50 },
  );
  writeFileSync(join(folder, 'x.metadata.yaml'), foreign);
  assert.deepEqual(await readPackage(folder, 'x'), { name: 'foo', category: 'utils', version: '1.0' });
  for (const broken of [
    '',
    '\nruntime:\n',
    '\nruntime:\n- a',
    '\nruntime:\n  name: [',
    '\nruntime:\n  name: {}\n',
  ]) {
    writeFileSync(join(folder, 'x.metadata.yaml'), broken);
    assert.equal(await readPackage(folder, 'x'), undefined);
  }
  assert.equal(await readPackage(folder, 'nothing'), undefined);
});

test('other readers of YAML, 1.1 and 1.2, see the same texts', () => {
  fc.assert(
    fc.property(texts, (files) => {
      const written = serializeMetadata({ ...sample, files });
      for (const version of ['1.1', '1.2'] as const)
        assert.deepEqual(parseYaml(written, { version }).files, files);
    }),
    { numRuns: 100 },
  );
});

test('the order in which a map was filled means nothing', () => {
  const with_ = (pairs: [string, string][]) =>
    serializeMetadata({ ...sample, runtime: bare('foo', { labels: new Map(pairs) }) });
  assert.equal(
    with_([
      ['a', '1'],
      ['b', '2'],
      ['10', '3'],
      ['9', '4'],
    ]),
    with_([
      ['9', '4'],
      ['b', '2'],
      ['10', '3'],
      ['a', '1'],
    ]),
  );
});

/** The names in a document, at every depth, without the values. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shape(one)]));
}

test('a stock metadata file is read, and written with its names, nesting and order', () => {
  const one = parseMetadata(foreign);
  assert.equal(one.record, undefined);
  assert.equal(one.archive, 'foo-utils-1.0.package.tar.zst');
  assert.equal(one.compression, 'zstd');
  assert.equal(one.sha256, 'a630f5228887702bdde2f46ae4917c87ad7fc0bef14761d043ba903380e99937');
  assert.deepEqual(one.files, ['foo', 'usr/share/foo/a', 'usr/share/foo/link']);
  assert.deepEqual(one.runtime, bare('foo'));
  assert.deepEqual(one.build.package.requires, [{ name: 'base', category: 'seed', selector: '>=0' }]);
  assert.equal(one.build.closure.length, 2);
  assert.equal(one.build.closure[1]?.buildHash, one.build.closure[0]?.packageHash);
  const ours = load(serializeMetadata(one)) as Record<string, Record<string, Record<string, unknown>>>;
  const theirs = load(foreign) as typeof ours;
  // What was asked for in that run is not ours to repeat.
  for (const document of [ours, theirs]) {
    const options = document.compilespec?.buildoptions ?? {};
    options.pullimagerepository = [];
    options.buildvalues = [];
  }
  assert.deepEqual(shape(ours), shape(theirs));
  assert.equal(JSON.stringify(Object.keys(ours)), JSON.stringify(Object.keys(theirs)));
});

test('nothing that differs between machines and runs is written', () => {
  const document = load(serializeMetadata(sample)) as Record<string, Record<string, unknown>>;
  assert.equal(document.path, 'foo-utils-1.0.package.tar');
  assert.equal(document.compilespec?.outputpath, '');
  for (const one of [document.runtime, document.compilespec?.package as Record<string, unknown>])
    assert.deepEqual([one?.treedir, one?.path], ['', '']);
});

test('the time of the build is another exactly when the archive is another: clients compare it', () => {
  type Fields = Readonly<Record<string, unknown>>;
  const stamps = (metadata: Metadata): unknown[] => {
    const document = load(serializeMetadata(metadata)) as {
      runtime: Fields;
      compilespec: { package: Fields };
    };
    return [document.runtime.buildtimestamp, document.compilespec.package.buildtimestamp];
  };
  const own = `sha256:${sample.sha256}`;
  assert.deepEqual(stamps(sample), [own, own]);
  assert.deepEqual(stamps({ ...sample, files: ['other'], runtime: bare('bar') }), [own, own]);
  const other = '0'.repeat(64);
  assert.deepEqual(stamps({ ...sample, sha256: other }), [`sha256:${other}`, `sha256:${other}`]);
  // What it was built on has none, as in Luet.
  const link = { package: bare('base'), buildHash: 'b', packageHash: 'p' };
  const text = serializeMetadata({ ...sample, build: { ...sample.build, closure: [link] } });
  assert.equal(text.split(own).length - 1, 2);
});

test('requirements are written as packages whose version is a selector', () => {
  const requires = [{ name: 'base', category: 'seed', selector: '>=0' }];
  const document = load(serializeMetadata({ ...sample, runtime: bare('foo', { requires }) })) as {
    runtime: { packagerequires: Record<string, unknown>[] };
  };
  const first = document.runtime.packagerequires[0];
  assert.deepEqual([first?.name, first?.category, first?.version], ['base', 'seed', '>=0']);
});

test('what is no metadata is refused', () => {
  for (const bad of ['', '{', '[]', 'a: b', 'path: x', '\0'])
    assert.throws(() => parseMetadata(bad), MetadataError, bad);
  assert.throws(
    () => parseMetadata(foreign.replace('compressiontype: zstd', 'compressiontype: xz')),
    MetadataError,
  );
});

const sample: Metadata = {
  archive: 'foo-utils-1.0.package.tar',
  compression: 'none',
  sha256: 'a',
  files: [],
  runtime: bare('foo'),
  build: idle(bare('foo')),
};
