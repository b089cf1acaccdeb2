import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { writeTar } from '../../src/tar/index.ts';
import { compareListings, listArchive } from '../support/listing.ts';
import { collect, directory, file, link, sourceOf } from '../support/stream.ts';

const listing = [
  'd 0755 0:0 "/kinds"',
  'f 4755 0:7 "/kinds/with space" 73cb3858a687a849',
  'h 4755 0:7 "/kinds/x" == /kinds/with space',
  'l 0777 0:0 "/kinds/y" -> ../with space',
];

test('an archive is listed as the conformance cases have it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const more = { mode: 0o4755, gid: 7 };
  const hard = link('hardlink', 'kinds/x', 'kinds/with space');
  const items = [
    directory('kinds'),
    file('kinds/with space', 'strange\n', more),
    { ...hard, entry: { ...hard.entry, ...more } },
    link('symlink', 'kinds/y', '../with space'),
  ];
  const archive = join(folder, 'a.package.tar');
  writeFileSync(archive, await collect(writeTar(sourceOf(items))));
  const listed = await listArchive(archive);
  assert.equal(listed[1]?.replace(/ [0-9a-f]{16}$/, ''), listing[1]?.replace(/ [0-9a-f]{16}$/, ''));
  assert.deepEqual(listed.toSpliced(1, 1), listing.toSpliced(1, 1));
});

test('listings are compared by what they mean', () => {
  assert.deepEqual(compareListings(listing, listing), []);
  assert.deepEqual(compareListings(['f 0644 0:0 "/a" *'], ['f 0644 0:0 "/a" 73cb3858a687a849']), []);
  const swapped = ['h 0644 0:0 "/a" == /b', 'f 0644 0:0 "/b" 73cb3858a687a849'];
  const straight = ['f 0644 0:0 "/a" 73cb3858a687a849', 'h 0644 0:0 "/b" == /a'];
  assert.deepEqual(compareListings(swapped, straight), []);
  assert.deepEqual(compareListings(['f 0644 0:0 "/a" *', 'h 0644 0:0 "/b" == /a'], swapped), []);
});

test('every difference is told', () => {
  const differs = (expected: string, actual: string) =>
    assert.equal(compareListings([expected], [actual]).length, 2, actual);
  differs('f 0644 0:0 "/a" 73cb3858a687a849', 'f 0644 0:0 "/a" 73cb3858a687a848');
  differs('f 0644 0:0 "/a" *', 'f 0600 0:0 "/a" 73cb3858a687a848');
  differs('f 0644 0:0 "/a" *', 'l 0644 0:0 "/a" -> b');
  differs('l 0777 0:0 "/a" -> b', 'l 0777 0:0 "/a" -> c');
  differs('d 0755 0:0 "/a"', 'd 0755 1:0 "/a"');
  assert.deepEqual(compareListings(['d 0755 0:0 "/a"'], []).length, 1);
  assert.deepEqual(compareListings([], ['d 0755 0:0 "/a"']).length, 1);
  const linked = ['f 0644 0:0 "/a" 73cb3858a687a849', 'h 0644 0:0 "/b" == /a'];
  const copied = ['f 0644 0:0 "/a" 73cb3858a687a849', 'f 0644 0:0 "/b" 73cb3858a687a849'];
  assert.ok(compareListings(linked, copied).length > 0);
  assert.ok(compareListings(copied, linked).length > 0);
});
