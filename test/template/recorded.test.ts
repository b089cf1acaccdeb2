import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseTemplates, render, TemplateError } from '../../src/template/index.ts';
import { mapOf } from './values.ts';

interface Case {
  readonly template: string;
  readonly output?: string;
  readonly fails?: true;
}

// What Go's own text/template with sprig gave; bench/template-fuzz/record.ts writes the file.
const [first = '', ...lines] = readFileSync(new URL('recorded.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const set = parseTemplates([]);

function run(text: string): string {
  const data = new Map([['Values', mapOf(first).get('values') ?? null]]);
  return render(set.with({ name: 't', text }), data, { now: 0n }).text;
}

test('what Go gave is given here', () => {
  assert.ok(lines.length > 900);
  for (const line of lines) {
    const { template, output } = JSON.parse(line) as Case;
    if (output !== undefined) assert.equal(run(template), output, template);
  }
});

test('what Go refused is refused here', () => {
  for (const line of lines) {
    const { template, fails } = JSON.parse(line) as Case;
    if (fails) assert.throws(() => run(template), TemplateError, template);
  }
});
