import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { PackageLog } from '../../src/execute/log.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a long output keeps its beginning and its end, and says what is left out', (t) => {
  const log = new PackageLog(folderFor(t), 'c/p-1', { head: 30, tail: 10 });
  log.command('steps', 'make');
  for (let i = 0; i < 1000; i++) log.output(Buffer.from(`${i},`));
  const whole = '==> steps: make\n'.length + Array.from({ length: 1000 }, (_, i) => `${i},`).join('').length;
  assert.equal(log.hint, `output without ${whole - 40} bytes in the middle: ${log.path}`);
  assert.equal(log.tail().at(-1)?.slice(-8), '998,999,');
  log.close();
  assert.equal(
    readFileSync(log.path, 'utf8'),
    `==> steps: make\n0,1,2,3,4,5,6,\n==> ${whole - 40} bytes are left out here\n7,998,999,`,
  );
});

test('any sizes of pieces give the same file, and all of an output that just fits is there', (t) => {
  const folder = folderFor(t);
  const text = Buffer.from(Array.from({ length: 500 }, (_, i) => `${i} `).join(''));
  const written = (name: string, piece: number, limits: { head: number; tail: number }): string => {
    const log = new PackageLog(folder, `${name}-${piece}`, limits);
    for (let at = 0; at < text.length; at += piece) log.output(text.subarray(at, at + piece));
    log.close();
    return readFileSync(log.path, 'utf8');
  };
  const [first, ...others] = [1, 2, 7, 10, 11, 64, 5000].map((piece) =>
    written('cut', piece, { head: 25, tail: 10 }),
  );
  for (const other of others) assert.equal(other, first);
  for (const piece of [1, 9, 5000])
    assert.equal(written('whole', piece, { head: 25, tail: text.length - 25 }), text.toString());
});
