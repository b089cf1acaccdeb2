import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { cli } from '../support/cli.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/commands.md'), 'utf8');

/** The words of every command. */
const all = commands.flatMap((entry) =>
  'commands' in entry
    ? [
        ...(entry.load === undefined ? [] : [[entry.name]]),
        ...entry.commands.map(({ name }) => [entry.name, name]),
      ]
    : [[entry.name]],
);

/** What a page says under a heading of the second level. */
function section(title: string): string {
  const [, found = ''] = text.split(`\n## ${title}\n`);
  return found.split('\n## ', 1)[0] ?? '';
}

test('every command is documented, with examples', () => {
  for (const words of all) {
    const title = words.join(' ');
    assert.match(section(title), new RegExp(`\n    luet-ts ${title}`), title);
    assert.ok(text.includes(`(#${words.join('-')})`), title);
  }
});

test('every flag is documented, and every documented flag is one', async () => {
  const common = section('What all of them share');
  const flagsIn = (page: string) => new Set(page.match(/(?<![\w-])--[a-z][a-z-]+/g));
  const documented = flagsIn(common);
  for (const words of all) {
    const { stdout } = await cli([...words, '--help']);
    const help = flagsIn(stdout.replace(/\nExamples:[\s\S]*$/, ''));
    const own = flagsIn((section(words.join(' ')).match(/^\| `.*$/gm) ?? []).join('\n'));
    for (const flag of help) assert.ok(own.has(flag) || documented.has(flag), `${words.join(' ')} ${flag}`);
    for (const flag of own)
      assert.ok(help.has(flag) || help.has(flag.replace('--', '--no-')), `${words.join(' ')} ${flag}`);
  }
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
