import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { functionTable } from '../../src/template/functions/index.ts';
import { defaultLimits, parseTemplates, render, TemplateError } from '../../src/template/index.ts';

const docs = readFileSync(new URL('../../docs/templates.md', import.meta.url), 'utf8');

/** The cells of the rows whose example is a template. */
const rows = docs
  .split('\n')
  .filter((line) => line.startsWith('| `') && line.includes('`{{'))
  .map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );

/** What stands in back quotes. */
const code = (cell: string): string => (cell.startsWith('`` ') ? cell.slice(3, -3) : cell.slice(1, -1));

test('the table names every function, each once', () => {
  const named = rows.flatMap(([names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
  assert.deepEqual(named.toSorted(), [...functionTable.functions.keys()].sort());
});

for (const [names = '', , example = '', output = ''] of rows) {
  test(`the example of ${names} gives what the table says`, () => {
    const run = (): string =>
      render(parseTemplates([]).with({ name: 't', text: code(example) }), new Map([['Values', new Map()]]), {
        now: 0n,
      }).text;
    if (output === '*fails*') assert.throws(run, TemplateError);
    else assert.equal(JSON.stringify(run()).slice(1, -1).replaceAll('\\"', '"'), code(output));
  });
}

test('the page names what is left out, and the limits', () => {
  for (const name of functionTable.refused.keys()) assert.ok(docs.includes(`\`${name}\``), name);
  assert.ok(docs.includes(String(defaultLimits.depth)));
});

test('the example of the page gives what it says', () => {
  const shared = parseTemplates([
    { name: 'templates/steps.yaml', text: '{{ define "make" }}make -j{{ . }}{{ end }}' },
  ]);
  const template = shared.with({ name: 'build.yaml', text: 'steps:\n- {{ include "make" .Values.jobs }}\n' });
  const { text, origin } = render(template, new Map([['Values', new Map([['jobs', 4n]])]]));
  const found = origin(text.indexOf('4'));
  assert.ok(docs.includes(`${found?.template}:${found?.line}:${found?.column}, ${found?.expression}`));
});
