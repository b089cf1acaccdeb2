import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

test('docs/commands.md is what the commands say of themselves', () => {
  const script = join(import.meta.dirname, '../../scripts/command-docs.ts');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});

test('every event of the JSON log is documented, with all of its fields', () => {
  const root = join(import.meta.dirname, '../..');
  const page = readFileSync(join(root, 'docs/output.md'), 'utf8');
  const events = ['src/events/index.ts', 'src/cli/progress/json.ts'].flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split(/^\s+\| \(?\{/m)
      .slice(1),
  );
  let count = 0;
  for (const event of events) {
    const [, type] = /readonly type: '([\w-]+)'/.exec(event) ?? [];
    if (type === undefined) continue;
    count++;
    const row = page.split('\n').find((line) => line.startsWith(`| \`${type}\` |`));
    assert.ok(row !== undefined, type);
    // Output comes as text or base64, not as bytes.
    for (const [, field] of event.matchAll(/readonly (\w+)\??:/g))
      if (field !== 'type' && field !== 'chunk') assert.ok(row.includes(`\`${field}\``), `${type}: ${field}`);
  }
  assert.ok(count > 15, `only ${count} were found`);
});
