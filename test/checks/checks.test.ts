import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test, { suite } from 'node:test';

const root = join(import.meta.dirname, '../..');
const local = (...path: string[]): string => join(root, 'node_modules', ...path);

/** What a checker says, empty where it is content. */
function complaints(script: string, ...words: string[]): Promise<string> {
  return new Promise((resolve) => {
    const options = {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
      maxBuffer: 64 << 20,
    };
    execFile(process.execPath, [script, ...words], options, (error, out, err) =>
      resolve(error ? out + err : ''),
    );
  });
}

suite('the sources', { concurrency: true }, () => {
  test('have the types that they say', async () => {
    assert.equal(await complaints(local('typescript/bin/tsc'), '--noEmit', '--pretty', 'false'), '');
  });
  test('are formatted and free of what the linter finds', async () => {
    assert.equal(await complaints(local('@biomejs/biome/bin/biome'), 'check', '--diagnostic-level=warn'), '');
  });
  test('export nothing that nobody uses, and need no package that is not named', async () => {
    assert.equal(await complaints(local('knip/bin/knip.js'), '--no-progress'), '');
  });
  test('import from room to room in the order of the house', async () => {
    assert.equal(await complaints(join(root, 'scripts/check-rooms.ts')), '');
  });
});
