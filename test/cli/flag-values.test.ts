import assert from 'node:assert/strict';
import test from 'node:test';
import { diskSize, memory, processes, sizeOf } from '../../src/cli/flags/values.ts';
import { cli } from '../support/cli.ts';

test('sizes mean the same for every flag: M and MiB are binary, MB is decimal', () => {
  for (const [text, bytes] of [
    ['16777216', 16 * 2 ** 20],
    ['16777216B', 16 * 2 ** 20],
    ['20000K', 20000 * 1024],
    ['512M', 512 * 2 ** 20],
    ['512mb', 512e6],
    ['4G', 4 * 2 ** 30],
    ['4 GB', 4e9],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['2T', 2 * 2 ** 40],
  ] as const) {
    assert.equal(sizeOf(text), bytes, text);
    assert.equal(memory(text), bytes, text);
    if (!/^\d+$/.test(text)) assert.equal(diskSize(text), bytes, text);
  }
});

test('what is no size is refused, and so is a limit of memory that is too small or too large', () => {
  const none = ['', 'G', '-4G', '4X', '4iG', '4i', '4iB', '4e9', '1,5G', '999999T', 'Infinity', '4G4'];
  for (const text of none) {
    assert.throws(() => memory(text), /Expected a size from 16M/, text);
    assert.throws(() => diskSize(text), /Expected a size such as/, text);
  }
  for (const text of ['0', '15M', '16MB'])
    assert.throws(() => memory(text), /Expected a size from 16M/, text);
  // More likely a forgotten unit than so few bytes.
  for (const text of ['20', '1.5', '20000'])
    assert.throws(() => diskSize(text), /Expected a size such as/, text);
  assert.equal(diskSize('0'), 0);
});

test('numbers of processes', () => {
  for (const count of [16, 1000, 4_194_304]) assert.equal(processes(String(count)), count);
  for (const text of ['', '0', '15', '-16', '16.5', '1e3', '4194305', '99999999', 'many'])
    assert.throws(() => processes(text), /Expected a number from 16/, text);
});

test('a time that is not one, and a folder without a name, are refused by commands that read trees', async () => {
  const words = ['tree', 'pkglist', '-t', import.meta.dirname];
  const late = await cli(words, { env: { SOURCE_DATE_EPOCH: 'yesterday' } });
  assert.deepEqual([late.code, late.stdout], [1, '']);
  assert.match(late.stderr, /SOURCE_DATE_EPOCH must be seconds since 1970, not "yesterday"/);
  assert.equal((await cli(words, { env: { SOURCE_DATE_EPOCH: '' } })).code, 0);
  for (const empty of ['', ',']) {
    const { code, stderr } = await cli(['tree', 'pkglist', '--tree', empty]);
    const error = 'error: --tree is given an empty word where a folder is expected\n';
    assert.deepEqual([code, stderr], [2, error], empty);
  }
});
