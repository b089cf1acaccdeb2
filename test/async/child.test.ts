import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';

const room = join(import.meta.dirname, '../../src/async/index.ts');

test('a program that gets no pipes, because no more files may be opened, is an error and not a crash', () => {
  const script = `
    const { spawn } = await import('node:child_process');
    const { openSync } = await import('node:fs');
    const { withPipes } = await import(${JSON.stringify(room)});
    const child = withPipes(spawn('cat'));
    child.stdin.end();
    const opened = [];
    try { for (;;) opened.push(openSync('/dev/null')); } catch {}
    try { withPipes(spawn('cat')); } catch ({ code, path }) { process.stdout.write(code + ' ' + path + '\\n'); }
    await new Promise((resolve) => setImmediate(resolve));
    process.stdout.write('goes on\\n');`;
  const answer = execFileSync(
    'sh',
    ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    { encoding: 'utf8' },
  );
  assert.equal(answer, 'EMFILE cat\ngoes on\n');
});
