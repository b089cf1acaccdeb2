import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { createContext } from '../../src/cli/context.ts';
import { openWorkplace } from '../../src/cli/workplace.ts';
import { DiagnosticError } from '../../src/diagnostic/index.ts';

const user = process.getuid?.() ?? 0;

/** What keeps a run from a temporary folder that `prepare` made; undefined where nothing does. */
function problemWith(t: TestContext, prepare: (folder: string) => void): string | undefined {
  const before = process.env.TMPDIR;
  const parent = mkdtempSync(join(tmpdir(), 'luet-ts-work-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  prepare(join(parent, `luet-ts-${user}`));
  process.env.TMPDIR = parent;
  const output = { write: () => true };
  const signal = new AbortController().signal;
  const around = {
    stdout: output,
    stderr: output,
    stdin: new PassThrough(),
    env: {},
    cwd: '/',
    home: parent,
    signal,
  };
  try {
    openWorkplace(createContext(around, {}, () => {})).close();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof DiagnosticError);
    return error.diagnostics[0]?.message.replace(/^.*?: /, '');
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

test("the folder of temporary files is this user's alone, or is not used", (t) => {
  assert.equal(
    problemWith(t, () => {}),
    undefined,
  );
  assert.equal(
    problemWith(t, (folder) => mkdirSync(folder, { mode: 0o700 })),
    undefined,
  );
  for (const mode of [0o777, 0o1777, 0o770, 0o701, 0o755]) {
    const made = (folder: string): void => {
      mkdirSync(folder);
      chmodSync(folder, mode);
    };
    assert.match(problemWith(t, made) ?? '', /^other users have rights to it \(mode \d+\)$/);
  }
  const elsewhere = mkdtempSync(join(tmpdir(), 'luet-ts-elsewhere-'));
  t.after(() => rmSync(elsewhere, { recursive: true }));
  assert.match(problemWith(t, (folder) => symlinkSync(elsewhere, folder)) ?? '', /belongs to somebody else/);
  if (user !== 0) return;
  const given = (folder: string): void => {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 65534, 65534);
  };
  assert.match(problemWith(t, given) ?? '', /belongs to somebody else/);
});

test('the logs of runs that go on stay, though the clock was set back', (t) => {
  const before = process.env.TMPDIR;
  const home = mkdtempSync(join(tmpdir(), 'luet-ts-work-'));
  process.env.TMPDIR = home;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(home, { recursive: true, force: true });
  });
  const output = { write: () => true };
  const around = {
    ...{ stdout: output, stderr: output, stdin: new PassThrough(), env: {}, cwd: '/', home },
    signal: new AbortController().signal,
    now: () => new Date(0),
  };
  const open = (): ReturnType<typeof openWorkplace> => {
    const workplace = openWorkplace(createContext(around, {}, () => {}));
    mkdirSync(workplace.logs, { recursive: true });
    return workplace;
  };
  const [long, short] = [open(), open()];
  const names = Array.from({ length: 30 }, (_, i) => `2026-01-01T00-00-${10 + i}-000Z-0123456789abcde${i}`);
  for (const name of names) mkdirSync(join(long.logs, '..', name));
  short.close();
  const left = readdirSync(join(long.logs, '..')).sort();
  assert.deepEqual(
    left,
    [long.logs, short.logs]
      .map((path) => basename(path))
      .sort()
      .concat(names.slice(-18)),
  );
  long.close();
});
