import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { type ContextFlags, createContext } from '../../src/cli/context.ts';
import { createTransfers } from '../../src/cli/progress/transfers.ts';

/** Transfers on an output that is or is no terminal, with a clock that the test moves. */
function transfers(isTTY: boolean, flags: ContextFlags = {}) {
  const written: string[] = [];
  const context = createContext(
    {
      stdout: { write: () => true },
      stderr: {
        write: (text) => written.push(Buffer.from(text as string).toString()) > 0,
        isTTY,
        columns: 60,
        rows: 5,
      },
      stdin: new PassThrough().end(),
      env: { TERM: 'xterm', NO_COLOR: '1' },
      cwd: '/',
      home: '/',
      signal: new AbortController().signal,
      now: () => new Date(0),
    },
    flags,
    () => {},
  );
  const clock = { now: 0 };
  return { written, clock, shown: createTransfers(context, () => clock.now) };
}

test('without a terminal, a line tells of each image that has come, and none of what failed', () => {
  const { written, clock, shown } = transfers(false);
  const one = shown.begin('a/b:1', 'pulling');
  const other = shown.begin('a/c:\x1b[2J', 'pulling');
  one.onBytes(1500);
  one.onBytes(500);
  clock.now = 1500;
  one.done('pulled');
  one.fail();
  other.fail();
  other.done('pulled');
  const last = shown.begin('\x1b]0;x\x07', 'pulling');
  last.done('pu\x1blled');
  shown.end();
  assert.equal(written[0], 'a/b:1: pulled, 2.0 kB in 1.5 s\n');
  assert.equal(written.length, 2);
  assert.doesNotMatch(written.join(''), /[\x07\x1b]/);
});

test('with --quiet nothing is told', () => {
  for (const isTTY of [false, true]) {
    const { written, shown } = transfers(isTTY, { quiet: true });
    shown.begin('a', 'pulling').done('pulled');
    shown.end();
    assert.deepEqual(written, []);
  }
});

test('as JSON, an object a line', () => {
  const { written, clock, shown } = transfers(true, { logFormat: 'json' });
  const one = shown.begin('a/b:1', 'pulling');
  one.onBytes(7);
  clock.now = 12.4;
  one.done('pulled');
  shown.end();
  assert.deepEqual(
    written.map((line) => JSON.parse(line) as unknown),
    [
      {
        time: '1970-01-01T00:00:00.000Z',
        type: 'transferred',
        image: 'a/b:1',
        outcome: 'pulled',
        bytes: 7,
        milliseconds: 12,
      },
    ],
  );
});

test('on a terminal rows are drawn over, never more or wider than it is, and what has come stays', async () => {
  const { written, clock, shown } = transfers(true);
  const many = Array.from({ length: 9 }, (_, i) =>
    shown.begin(`repository/${'x'.repeat(60)}:${i}`, 'pulling'),
  );
  many[0]?.onBytes(1e6);
  clock.now = 2000;
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.ok(written.length > 0);
  const rows = (written.at(-1) ?? '')
    .split('\n')
    .map((row) => row.replace(/\x1b\[[?0-9]*[A-Za-z]/g, '').trim());
  assert.ok(rows.length <= 5, rows.join('|'));
  for (const row of rows) assert.ok(row.length < 60, row);
  many[0]?.done('pulled');
  for (const one of many) one.fail();
  shown.end();
  const all = written.join('');
  assert.match(all, /✓ repository\/x+:0 {2}pulled, 1\.0 MB in 2\.0 s/);
  // The cursor is shown again behind every write.
  for (const text of written) assert.ok(text.lastIndexOf('\x1b[?25h') > text.lastIndexOf('\x1b[?25l'));
});
