import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { compileGlob, plainSource, readBuild } from '../../src/spec/index.ts';

/**
 * Written by Go 1.26: the names on the first line; then, a line each, a pattern and which of the names `filepath.Match` finds, or null where it calls the
 * pattern bad.
 */
const [names = [], ...rows] = readFileSync(join(import.meta.dirname, '../fixtures/glob.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line)) as [string[], ...[pattern: string, found: string[] | null][]];

test('globs name what they name in Go', () => {
  assert.ok(rows.length > 60 && names.length > 40);
  for (const [pattern, found] of rows) {
    const compiled = compileGlob(pattern);
    if (found === null) assert.ok('error' in compiled, pattern);
    else {
      assert.ok('matches' in compiled, pattern);
      // A class of filepath.Match takes a slash; filepath.Glob, which Luet uses, looks at one part of a path at a time.
      const inParts = (name: string): boolean => !(pattern.includes('[') && name.includes('/'));
      assert.deepEqual(
        names.filter((name) => compiled.matches(name)),
        found.filter(inParts),
        pattern,
      );
    }
  }
});

test('a glob of many stars ends', () => {
  const compiled = compileGlob(`${'a*'.repeat(50)}b`);
  assert.ok('matches' in compiled);
  assert.equal(compiled.matches('a'.repeat(5000)), false);
});

test('what is no glob is found in a build spec, with its place', async () => {
  const text = 'image: a\nretrieve: ["a[1"]\ncopy:\n- {image: b, source: "/x[]]", destination: /y}\n';
  const { problems } = await readBuild(plainSource('build.yaml', text));
  assert.deepEqual(problems.map(({ code, place }) => [code, place?.line]).sort(), [
    ['invalid-glob', 2],
    ['invalid-glob', 4],
  ]);
});
