import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
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

test('every variable of the environment that is read is documented', () => {
  const root = join(import.meta.dirname, '../..');
  const documented = new Set(
    readFileSync(join(root, 'docs/variables.md'), 'utf8').match(/`[A-Z][A-Z0-9_]+`/g),
  );
  const missing = new Set<string>();
  const read = new Set<string>();
  const take = (name: string): void => {
    read.add(name);
    if (!documented.has(`\`${name}\``)) missing.add(name);
  };
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'));
  for (const source of sources) {
    for (const [, name = ''] of source.matchAll(/\benv(?:\?\.|\.|\[')([A-Z][A-Z0-9_]+)/g)) take(name);
    for (const [, names = ''] of source.matchAll(/\{([^{}]*)\} = [\w.]*\benv\b/g))
      for (const [name] of names.matchAll(/\b[A-Z][A-Z0-9_]+\b/g)) take(name);
    // Proxies are looked for by names in a table.
    for (const [, name = ''] of source.matchAll(/'([A-Z]+_PROXY)'/g)) take(name);
  }
  for (const file of ['luet-ts', 'find-node'])
    for (const [, name = ''] of readFileSync(join(root, 'bin', file), 'utf8').matchAll(
      /\$\{?([A-Z][A-Z0-9_]+)/g,
    ))
      take(name);
  assert.deepEqual([...missing], []);
  for (const name of [
    'HOME',
    'DOCKER_HOST',
    'CONTAINER_HOST',
    'HTTPS_PROXY',
    'LUET_TS_NOHUP',
    'NODE_COMPILE_CACHE',
  ])
    assert.ok(read.has(name), name);
});
