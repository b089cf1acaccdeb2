import assert from 'node:assert/strict';
import test from 'node:test';
import { memory, processes } from '../../src/cli/limits.ts';

test('amounts of memory are in binary units', () => {
  for (const [text, bytes] of [
    ['16777216', 16 * 2 ** 20],
    ['16777216B', 16 * 2 ** 20],
    ['20000K', 20000 * 1024],
    ['512M', 512 * 2 ** 20],
    ['512mb', 512 * 2 ** 20],
    ['4G', 4 * 2 ** 30],
    ['4 GB', 4 * 2 ** 30],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['2T', 2 * 2 ** 40],
  ] as const)
    assert.equal(memory(text), bytes, text);
});

test('what is no amount of memory, or too little or too much for one, is refused', () => {
  for (const text of ['', 'G', '-4G', '4X', '4iG', '4e9', '1,5G', '0', '15M', '999999T', 'Infinity', '4G4'])
    assert.throws(() => memory(text), /Expected an amount from 16M/, text);
});

test('numbers of processes', () => {
  for (const count of [16, 1000, 4_194_304]) assert.equal(processes(String(count)), count);
  for (const text of ['', '0', '15', '-16', '16.5', '1e3', '4194305', '99999999', 'many'])
    assert.throws(() => processes(text), /Expected a number from 16/, text);
});
