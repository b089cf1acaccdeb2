import assert from 'node:assert/strict';
import test from 'node:test';
import { BuildState } from '../../src/cli/progress/state.ts';
import { createTerminalView } from '../../src/cli/progress/terminal.ts';
import { painter } from '../../src/cli/progress/words.ts';
import type { BuildEvent } from '../../src/events/index.ts';

/** A terminal that understands what the view writes, and throws at anything else. ASCII is enough here. */
class Screen {
  columns = 80;
  rows = 10;
  writes = 0;
  cursorShown = true;
  #lines: string[] = [''];
  #row = 0;

  write(text: string | Uint8Array): boolean {
    this.writes++;
    for (const [token] of String(text).matchAll(/\x1b\[\??[0-9;]*[a-zA-Z]|\x1b[78]|[\s\S]/g)) {
      const up = /^\x1b\[(\d+)A$/.exec(token);
      if (up !== null) this.#row = Math.max(0, this.#row - Number(up[1]));
      else if (token === '\x1b[K')
        this.#lines[this.#row] = this.#lines[this.#row]?.slice(0, this.#column) ?? '';
      else if (token === '\x1b[J') {
        this.#lines.length = this.#row + 1;
        this.#lines[this.#row] = '';
      } else if (token === '\x1b7') this.#saved = [this.#row, this.#column];
      else if (token === '\x1b8') [this.#row, this.#column] = this.#saved;
      else if (token === '\x1b[?25l') this.cursorShown = false;
      else if (token === '\x1b[?25h') this.cursorShown = true;
      else if (token === '\r') this.#column = 0;
      else if (token === '\n') {
        this.#row++;
        this.#column = 0;
        this.#lines[this.#row] ??= '';
      } else if (token.startsWith('\x1b')) assert.match(token, /^\x1b\[\?2026[hl]$/);
      else {
        const line = this.#lines[this.#row] ?? '';
        this.#lines[this.#row] = line.slice(0, this.#column) + token + line.slice(this.#column + 1);
        this.#column++;
      }
    }
    return true;
  }
  #column = 0;
  #saved: [number, number] = [0, 0];

  get text(): string {
    return this.#lines.join('\n');
  }

  /** Makes the terminal narrower: lines that no longer fit are broken, as terminals do. The cursor stays in its line. */
  narrow(columns: number): void {
    this.columns = columns;
    const broken = (lines: string[]): string[] =>
      lines.flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, 'g')) ?? ['']);
    const above = broken(this.#lines.slice(0, this.#row));
    this.#lines = [...above, ...broken(this.#lines.slice(this.#row))];
    this.#row = above.length;
  }

  /** Makes the terminal lower: rows below the cursor go first, as terminals do. */
  lower(rows: number): void {
    this.rows = rows;
    this.#lines = this.#lines.slice(0, Math.max(rows, this.#row + 1));
  }

  /** What Enter shows when it is pressed. */
  enter(): void {
    this.#row++;
    this.#column = 0;
    this.#lines[this.#row] ??= '';
  }
}

function open(quiet = false) {
  const screen = new Screen();
  const state = new BuildState(0);
  let now = 0;
  const view = createTerminalView({
    output: screen,
    state,
    clock: () => now,
    paint: painter(false),
    usual: () => undefined,
    quiet,
    debug: false,
    liveOutput: false,
  });
  const send = (event: BuildEvent): void => {
    state.take(event, now);
    view.take(event, 1500);
  };
  const plan = (...packages: string[]): void =>
    send({
      type: 'planned',
      packages,
      asked: [],
      needs: Object.fromEntries(packages.map((one) => [one, []])),
      concurrency: 2,
    });
  const start = (name: string): void => send({ type: 'started', package: name, work: 'run', parent: 'base' });
  const at = (time: number): void => {
    now = time;
  };
  const finish = (name: string): void =>
    send({
      type: 'written',
      package: name,
      outcome: 'built',
      archive: '',
      files: 2,
      size: 10,
      milliseconds: 1,
    });
  return { screen, view, send, plan, start, finish, at };
}

test('finished packages scroll by above what is drawn over, one write a frame', () => {
  const { screen, view, plan, start, finish, at } = open();
  plan('a/one-1', 'a/two-1');
  start('a/one-1');
  start('a/two-1');
  view.draw();
  assert.equal(screen.writes, 1);
  assert.equal(screen.text, 'a/one-1      0s  starting\na/two-1      0s  starting\n0/2 · 2 running · 0s\n');
  at(900);
  view.draw();
  assert.equal(screen.writes, 1, 'nothing has changed');
  finish('a/two-1');
  at(2000);
  view.draw();
  assert.equal(screen.writes, 2);
  assert.equal(
    screen.text,
    '✓ a/two-1  built in 1.5 s, 2 files, 10 B\na/one-1      2s  starting\n1/2 · 1 running · 2s\n',
  );
  finish('a/one-1');
  view.end();
  view.end();
  assert.equal(
    screen.text,
    '✓ a/two-1  built in 1.5 s, 2 files, 10 B\n✓ a/one-1  built in 1.5 s, 2 files, 10 B\n',
  );
  assert.equal(screen.writes, 3);
});

test('the cursor is back after every write', () => {
  const { screen, view, plan, start } = open();
  plan('a/one-1');
  start('a/one-1');
  view.draw();
  assert.ok(screen.cursorShown);
});

test('a terminal that gets narrower keeps nothing of what was drawn', () => {
  const { screen, view, plan, start, finish } = open();
  const names = ['a/first-package-1', 'a/other-package-1', 'a/third-package-1'];
  plan(...names);
  for (const name of names) start(name);
  view.draw();
  screen.narrow(20);
  view.draw();
  assert.match(screen.text, /^a\/first-package… 0s\na\/other-package… 0s\na\/third-package… 0s\n0\/3.*\n$/);
  for (const row of screen.text.split('\n')) assert.ok(row.length < 20, row);
  finish('a/other-package-1');
  view.end();
  assert.equal(screen.text, '✓ a/other-package-1  built in 1.5 s, 2 files, 10 B\n');
});

test('a terminal that gets lower keeps nothing of what was drawn', () => {
  const { screen, view, plan, start, finish } = open();
  const names = Array.from({ length: 8 }, (_, i) => `a/one-${i}`);
  plan(...names);
  for (const name of names) start(name);
  finish('a/one-0');
  view.draw();
  screen.lower(5);
  view.draw();
  assert.match(screen.text, /^✓ a\/one-0 .*\na\/one-1 .*\na\/one-2 .*\n {2}and 5 more running\n1\/8 .*\n$/);
  view.end();
  assert.equal(screen.text, '✓ a/one-0  built in 1.5 s, 2 files, 10 B\n');
});

test('keys that are pressed leave nothing', () => {
  const { screen, view, plan, start, finish, at } = open();
  plan('a/one-1', 'a/two-1');
  start('a/one-1');
  start('a/two-1');
  view.draw();
  screen.enter();
  screen.enter();
  at(2000);
  view.draw();
  assert.equal(screen.text, 'a/one-1      2s  starting\na/two-1      2s  starting\n0/2 · 2 running · 2s\n');
  screen.enter();
  finish('a/one-1');
  view.end();
  assert.equal(screen.text, '✓ a/one-1  built in 1.5 s, 2 files, 10 B\n');
});

test('a view that was taken away is drawn again below what has come since', () => {
  const { screen, view, plan, start } = open();
  plan('a/one-1');
  start('a/one-1');
  view.draw();
  view.end();
  assert.equal(screen.text, '');
  screen.write('[1]+  Stopped\n$ fg\n');
  view.draw();
  assert.equal(screen.text, '[1]+  Stopped\n$ fg\na/one-1      0s  starting\n0/1 · 1 running · 0s\n');
});

test('a view that stops says so, and a failure scrolls by with its reason', () => {
  const { screen, view, send, plan, start } = open(true);
  plan('a/one-1', 'a/two-1');
  start('a/one-1');
  start('a/two-1');
  view.draw();
  assert.equal(screen.text, '', 'quiet');
  send({
    type: 'failed',
    package: 'a/one-1',
    diagnostics: [{ code: 'step-failed', severity: 'error', message: 'steps: exit code 2: make\x1b[2J' }],
  });
  view.stop();
  view.draw();
  assert.match(screen.text, /^✗ a\/one-1 {2}failed after 1\.5 s: steps: exit code 2: make\\x1b\[2J\n/);
  assert.match(screen.text, /\nstopping: ending 1 package/);
});
