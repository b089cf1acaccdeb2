import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseTemplates, render, TemplateError } from '../../src/template/index.ts';
import { mapOf } from './values.ts';

interface Case {
  readonly template: string;
  readonly output?: string;
  readonly error?: string;
}

const [first = '', ...lines] = readFileSync(
  new URL('../conformance/templates.jsonl', import.meta.url),
  'utf8',
)
  .trimEnd()
  .split('\n');

const run = (text: string): string =>
  render(
    parseTemplates([]).with({ name: 'build.yaml', text }),
    new Map([['Values', mapOf(first).get('values') ?? null]]),
    {
      now: 0n,
    },
  ).text;

for (const line of lines) {
  const { template, output, error } = JSON.parse(line) as Case;
  test(`${template} gives what was recorded`, () => {
    if (error === undefined) assert.equal(run(template), output);
    else {
      assert.throws(
        () => run(template),
        (thrown) => thrown instanceof TemplateError && thrown.line === 1 && thrown.reason !== '',
      );
    }
  });
}
