import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { makeSite, onBase, unpacked } from '../support/site.ts';

// What a build writes is not part of what it reads.

const spec = onBase('ls -a /luetbuild >/seen');

for (const [name, destination] of [
  ['the package folder itself', 'tree/p'],
  ['a folder below it', 'tree/p/out/deep'],
] as const) {
  test(`a destination that is ${name} does not rebuild the package`, async (t) => {
    const site = makeSite(t, { p: { build: spec, files: { 'main.c': 'x' } } });
    const words = ['--all', '--destination', join(site.folder, destination)];
    const first = await site.build(words);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /1 built/);
    const again = await site.build(words);
    assert.match(again.stderr, /1 unchanged/);
    // A folder that another build wrote to is context like any other.
    mkdirSync(join(site.folder, 'tree/p/build'));
    writeFileSync(join(site.folder, 'tree/p/build/p-t-1.package.tar'), 'old');
    assert.match((await site.build(words)).stderr, /1 built/);
    assert.match((await site.build(words)).stderr, /1 unchanged/);
  });
}

test('the package sees nothing of what is written beside it', async (t) => {
  const site = makeSite(t, { p: { build: spec, files: { 'main.c': 'x' } } });
  const words = ['--all', '--destination', join(site.folder, 'tree/p')];
  await site.build(words);
  await site.build([...words, '--rebuild']);
  const files = await unpacked(join(site.folder, 'tree/p'), 'p');
  assert.equal(files.get('seen')?.text, '.\n..\nmain.c\n');
});
