import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
