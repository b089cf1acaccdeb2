import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { openHistory } from '../../src/cli/history.ts';
import { remaining } from '../../src/cli/progress/estimate.ts';
import { type FrameView, frameRows, running } from '../../src/cli/progress/frame.ts';
import { JsonLog } from '../../src/cli/progress/json.ts';
import { OutputLines, shownLine } from '../../src/cli/progress/output-lines.ts';
import { createPlainLines } from '../../src/cli/progress/plain.ts';
import { BuildState } from '../../src/cli/progress/state.ts';
import { cutToWidth, displayWidth, fitToWidth } from '../../src/cli/progress/width.ts';
import { painter } from '../../src/cli/progress/words.ts';
import type { BuildEvent } from '../../src/events/index.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A fake output that keeps what is written to it. */
function recorder(): { write(text: string | Uint8Array): boolean; readonly texts: string[] } {
  const texts: string[] = [];
  return { texts, write: (text) => texts.push(String(text)) > 0 };
}

/** A plan of packages that each need the one before, but those in `free`, which need nothing. */
function planned(chain: readonly string[], free: readonly string[] = [], concurrency = 2): BuildEvent {
  const needs = Object.fromEntries([
    ...chain.map((name, i) => [name, chain.slice(Math.max(0, i - 1), i)]),
    ...free.map((name) => [name, []]),
  ]);
  return { type: 'planned', packages: [...chain, ...free], asked: chain.slice(-1), needs, concurrency };
}

const started = (name: string): BuildEvent => ({
  type: 'started',
  package: name,
  work: 'run',
  parent: 'base',
});
const step = (name: string, command: string): BuildEvent => ({
  type: 'step',
  package: name,
  phase: 'steps',
  index: 0,
  count: 2,
  command,
});
const written = (name: string): BuildEvent & { readonly type: 'written' } => ({
  type: 'written',
  package: name,
  outcome: 'built',
  archive: `/out/${name}`,
  files: 1,
  size: 2048,
  milliseconds: 5,
});

function stateOf(...events: readonly BuildEvent[]): BuildState {
  const state = new BuildState(0);
  for (const [at, event] of events.entries()) state.take(event, at * 1000);
  return state;
}

test('the width of text is what terminals show', () => {
  for (const [text, width] of [
    ['plain', 5],
    ['日本語', 6],
    ['한국', 4],
    ['e\u0301a\u0308', 2],
    ['é', 1],
    ['ﾊﾝｶｸ', 4],
    ['ＡＢ', 4],
    ['👍', 2],
    ['⚙\ufe0f', 2],
    ['a\u200bb', 2],
    ['│·…', 3],
  ] as const)
    assert.equal(displayWidth(text), width, JSON.stringify(text));
});

test('text is cut by columns, and marks stay with their characters', () => {
  assert.equal(cutToWidth('日本語', 6), '日本語');
  assert.equal(cutToWidth('日本語', 5), '日本…');
  assert.equal(cutToWidth('日本語', 4), '日…');
  assert.equal(cutToWidth('e\u0301e\u0301e\u0301', 2), 'e\u0301…');
  assert.equal(cutToWidth('abc', 3), 'abc');
  assert.equal(cutToWidth('abc', 1), '…');
  assert.equal(cutToWidth('abc', 0), '');
  for (let columns = 0; columns < 12; columns++)
    assert.equal(displayWidth(fitToWidth('a日b👍c\u0301語d', columns)), columns);
});

test('a line shows what a terminal would leave of it', () => {
  assert.equal(shownLine('\x1b[31mred\x1b[0m'), 'red');
  assert.equal(shownLine('10%\r50%\r100%\r'), '100%');
  assert.equal(shownLine('\x1b]0;title\x07text\x1b(B'), 'text');
  assert.equal(shownLine('bell \x07'), 'bell \\x07');
});

test('a character that two chunks share is put together', () => {
  const lines = new OutputLines();
  const whole = bytes('日本\nnext');
  assert.deepEqual(lines.take('p', 'stdout', whole.subarray(0, 4)).lines, []);
  assert.deepEqual(lines.take('p', 'stdout', whole.subarray(4)), { lines: ['日本'], current: 'next' });
  assert.deepEqual(lines.finish('p'), ['next']);
  assert.deepEqual(lines.finish('p'), []);
});

test('what waits is told by what it waits for', () => {
  const state = stateOf(planned(['a', 'b', 'c'], ['d', 'e']), started('a'));
  assert.deepEqual(state.waiting(), [
    ['a', ['b']],
    ['b', ['c']],
    ['', ['d', 'e']],
  ]);
  state.take({ type: 'ran', package: 'a', milliseconds: 1 }, 2000);
  assert.deepEqual(state.waiting()[1], ['', ['b', 'd', 'e']]);
});

const view: FrameView = {
  columns: 100,
  rows: 20,
  now: 65_000,
  last: new Map(),
  remaining: undefined,
  stopping: false,
  paint: painter(false),
};

test('a frame tells what runs, what waits, and how far it is', () => {
  const state = stateOf(
    planned(['a/a-1', 'a/b-1', 'a/c-1']),
    started('a/a-1'),
    step('a/a-1', 'make -j\nmake install'),
  );
  const rows = frameRows(state, { ...view, last: new Map([['a/a-1', 'CC 日本.o']]), remaining: 61_000 });
  assert.deepEqual(rows, [
    'a/a-1   1m04s  steps 1/2    make -j … │ CC 日本.o',
    'waiting: a/b-1 for a/a-1, a/c-1 for a/b-1',
    '0/3 · 1 running · 2 waiting · 1m05s · about 1m30s left',
  ]);
  const [last] = frameRows(state, { ...view, stopping: true }).slice(-1);
  assert.match(last ?? '', /^stopping: ending 1 package and removing containers/);
});

test('no frame is larger than its terminal, whatever its size and whatever runs', () => {
  const names = Array.from({ length: 40 }, (_, i) => `日本/${'長'.repeat(i)}-${i}`);
  const state = stateOf(
    planned(['x-1', 'y-1'], names, 40),
    ...names.map(started),
    ...names.map((name) => step(name, `echo ${'言'.repeat(50)}\x1b[2J`)),
  );
  const last = new Map(names.map((name) => [name, `\t${'e\u0301'.repeat(200)}`]));
  for (let columns = 1; columns < 130; columns += columns < 30 ? 1 : 9) {
    for (let rows = 1; rows < 60; rows += 7) {
      const drawn = frameRows(state, { ...view, columns, rows, last, remaining: 1000 });
      assert.ok(drawn.length <= rows, `${drawn.length} rows of ${rows}`);
      assert.ok(drawn.length >= Math.min(rows, 10));
      for (const row of drawn) {
        assert.ok(displayWidth(row) <= columns, `${displayWidth(row)} of ${columns}: ${row}`);
        assert.equal(stripVTControlCharacters(row), row);
      }
    }
  }
});

test('times while something runs are whole', () => {
  assert.deepEqual([0, 59_999, 60_000, 3_599_000, 7_380_000].map(running), [
    '0s',
    '59s',
    '1m00s',
    '59m59s',
    '2h03m',
  ]);
});

test('the rest is the longest path, or the sum over the slots', () => {
  const usual = (name: string): number | undefined => (name === 'new' ? undefined : 10_000);
  const chain = stateOf(planned(['a', 'b', 'c'], ['d']));
  assert.equal(remaining(chain, usual, 0), 30_000);
  const wide = stateOf(planned([], ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']));
  assert.equal(remaining(wide, usual, 0), 40_000);
  chain.take(started('a'), 0);
  assert.equal(remaining(chain, usual, 4000), 26_000);
  assert.equal(remaining(chain, usual, 90_000), 21_000, 'what is overdue still needs a tenth');
  chain.take(written('a'), 10_000);
  assert.equal(remaining(chain, usual, 10_000), 20_000);
  assert.equal(remaining(stateOf(planned(['a', 'new'])), usual, 0), 20_000, 'as the others on average');
  assert.equal(
    remaining(stateOf(planned(['a'], ['new'])), () => undefined, 0),
    undefined,
  );
});

test('plain lines begin with the name and hold no control characters', () => {
  const output = recorder();
  const state = new BuildState(0);
  const plain = createPlainLines({
    output,
    state,
    paint: painter(false),
    quiet: false,
    debug: false,
    showOutput: true,
  });
  const chunk = bytes('one \x1b[1mbold\x1b[0m\r\n\x1b[Aup\nlast');
  for (const event of [
    planned(['a']),
    started('a'),
    step('a', 'make\nmore'),
    { type: 'output', package: 'a', stream: 'stdout', chunk },
    {
      type: 'failed',
      package: 'a',
      diagnostics: [{ code: 'x', severity: 'error', message: 'steps: \x1b[2J' }],
    },
    { type: 'skipped', package: 'b', because: 'a' },
    { type: 'stopped', package: 'c', because: 'a' },
  ] satisfies BuildEvent[])
    plain.take(event, undefined);
  assert.deepEqual(output.texts.join('').split('\n'), [
    'a: built on base',
    'a: steps 1/2: make …',
    'a | one bold',
    'a | up',
    'a | last',
    'a: failed: steps: \\x1b[2J',
    'b: not built, because it needs a, which failed',
    'c: stopped, because a failed',
    '',
  ]);
});

test('JSON lines give back every byte of the output', () => {
  const output = recorder();
  const log = new JsonLog(output, () => new Date(0));
  const all = Buffer.concat([
    bytes('日本\nx'),
    Buffer.from([0xff, 0x0a, 0xe6]),
    Buffer.alloc(70_000, 0x61),
    bytes('end'),
  ]);
  for (let at = 0; at < all.length; at += 1000)
    log.write({ type: 'output', package: 'a', stream: 'stdout', chunk: all.subarray(at, at + 1000) });
  log.write({ ...written('a'), milliseconds: 1.5 });
  const events = output.texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  for (const text of output.texts) assert.equal(text.indexOf('\n'), text.length - 1);
  const pieces = events
    .filter(({ type }) => type === 'output')
    .map(({ text, base64 }) =>
      typeof text === 'string' ? bytes(text) : Buffer.from(String(base64), 'base64'),
    );
  assert.deepEqual(Buffer.concat(pieces), all);
  assert.deepEqual(events[0], {
    time: '1970-01-01T00:00:00.000Z',
    type: 'output',
    package: 'a',
    stream: 'stdout',
    text: '日本\n',
  });
  assert.equal(events[1]?.base64, Buffer.from([0x78, 0xff, 0x0a]).toString('base64'));
  assert.equal(events.at(-1)?.type, 'written');
  assert.equal(events.at(-1)?.milliseconds, 2);
});

test('how long packages took is kept for other versions and later runs, and no more than some', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'luet-ts-history-'));
  t.after(() => rmSync(home, { recursive: true }));
  const open = () => openHistory({ env: { XDG_STATE_HOME: home }, home: '/nowhere', runId: 'run' });
  assert.equal(open().usual('a/b-1'), undefined);
  open().remember(
    new Map([
      ['a/b-c-1.0', 1234.5],
      ['a/old-1', 1],
    ]),
  );
  assert.equal(open().usual('a/b-c-1.0'), 1235);
  assert.equal(open().usual('a/b-c-2.0-rc1'), 1235);
  assert.equal(open().usual('a/b-1.0'), undefined);
  open().remember(new Map(Array.from({ length: 5000 }, (_, i) => [`m/p${i}x-1`, i])));
  assert.equal(open().usual('a/old-1'), undefined);
  assert.equal(open().usual('m/p4999x-1'), 4999);
  assert.deepEqual(readdirSync(join(home, 'luet-ts')), ['history.json']);
  const file = join(home, 'luet-ts/history.json');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 100));
  assert.equal(open().usual('m/p4999x-1'), undefined);
});

test('a package that its engine failed is not one that failed, and lost time is no time of its own', () => {
  const state = stateOf(planned(['a', 'b', 'c']), started('a'), started('b'));
  const retrying: BuildEvent = {
    type: 'retrying',
    package: 'a',
    fault: 'killed',
    message: 'x',
    attempt: 2,
    attempts: 3,
    milliseconds: 500,
  };
  state.take(retrying, 60_000);
  assert.ok(!state.running.has('a'));
  state.take(started('a'), 61_000);
  state.take({ type: 'ran', package: 'a', milliseconds: 1 }, 62_000);
  assert.equal(state.durations.get('a'), 1000);
  state.take({ type: 'engine-gone', message: 'x', milliseconds: 60_000 }, 63_000);
  const shown = (): string => frameRows(state, { ...view, now: 65_000, columns: 120 }).at(-1) ?? '';
  assert.match(shown(), /engine gone, waiting 2s of 1m00s/);
  state.take({ type: 'engine-back', milliseconds: 3000 }, 66_000);
  assert.doesNotMatch(shown(), /gone/);
  state.take({ type: 'failed', package: 'b', fault: 'no-space', diagnostics: [] }, 67_000);
  state.take({ type: 'failed', package: 'c', diagnostics: [] }, 67_000);
  assert.deepEqual(state.counts(), [
    { word: 'failed', count: 1 },
    { word: 'not finished', count: 1 },
  ]);
});

test('a low terminal tells what is ready and what waits for what in one row', () => {
  const state = stateOf(planned(['a', 'b', 'c'], ['d']), started('a'));
  const rows = frameRows(state, { ...view, rows: 6, columns: 120 });
  assert.ok(
    rows.some((row) => /^waiting: .*d \(ready\)/.test(row)),
    rows.join('\n'),
  );
});

test('states of nodes say what a package does between its steps', () => {
  const state = (
    name: string,
    node: number,
    state: 'fetching' | 'done' | 'committing' | 'running',
  ): BuildEvent => ({
    type: 'state',
    package: name,
    node,
    state,
  });
  const fetching = stateOf(planned(['a']), state('a', 0, 'fetching'));
  assert.equal(fetching.running.get('a')?.doing, 'fetching');
  fetching.take({ type: 'reused', package: 'a', reference: 'r:1' }, 1);
  fetching.take(state('a', 0, 'done'), 1);
  assert.equal(fetching.running.size, 0);
  const committing = stateOf(planned(['a']), state('a', 0, 'running'), started('a'), step('a', 'make'));
  committing.take(
    { ...step('a', 'make'), type: 'stepped', index: 1, exit: 0, milliseconds: 1 } as BuildEvent,
    2,
  );
  committing.take(state('a', 0, 'committing'), 2);
  assert.equal(committing.running.get('a')?.doing, 'committing');
  assert.deepEqual(committing.working(), [{ package: 'a', state: 'committing' }]);
  const output = recorder();
  const lines = createPlainLines({
    output,
    state: committing,
    paint: painter(false),
    quiet: false,
    debug: false,
    showOutput: true,
  });
  lines.take(state('a', 0, 'committing'), undefined);
  assert.deepEqual(output.texts, []);
});
