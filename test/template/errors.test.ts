import assert from 'node:assert/strict';
import test from 'node:test';
import { parseTemplates, render, TemplateError, type Value } from '../../src/template/index.ts';

function failure(text: string, data: Map<string, Value> = new Map(), shared = ''): TemplateError {
  try {
    const set = parseTemplates(shared === '' ? [] : [{ name: 'templates/x.yaml', text: shared }]);
    render(set.with({ name: 'a/build.yaml', text }), data);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `${text} did not fail` });
}

const place = ({ template, line, column }: TemplateError): string => `${template}:${line}:${column}`;

test('an error names file, line, column and expression', () => {
  const error = failure('x\n  {{ .Values.name | upper }}', new Map([['Values', new Map([['name', 5n]])]]));
  assert.equal(place(error), 'a/build.yaml:2:21');
  assert.equal(error.expression, 'upper');
  assert.match(error.reason, /expected string, got int; convert it with toString/);
  assert.match(error.message, /^a\/build\.yaml:2:21: /);
});

test('a field of nothing names the whole chain and says how to guard it', () => {
  const error = failure('{{ .Values.a.b }}', new Map([['Values', new Map()]]));
  assert.equal(place(error), 'a/build.yaml:1:4');
  assert.equal(error.expression, '.Values.a.b');
  assert.match(error.hint ?? '', /default/);
});

test('an unknown function gets the nearest name', () => {
  const error = failure('{{ indnt 4 "x" }}');
  assert.equal(place(error), 'a/build.yaml:1:4');
  assert.equal(error.hint, 'did you mean indent?');
});

test('functions that are left out say why', () => {
  for (const [name, why] of [
    ['randAlpha', /random/],
    ['uuidv4', /random/],
    ['shuffle', /random/],
    ['genPrivateKey', /keys/],
    ['encryptAES', /keys/],
    ['getHostByName', /network/],
  ] as const) {
    assert.match(failure(`{{ ${name} 1 }}`).reason, why);
  }
});

test('an unknown variable gets the nearest name', () => {
  assert.equal(failure('{{ $version := 1 }}{{ $verson }}').hint, 'did you mean $version?');
});

test('all faults of a file are reported, in order', () => {
  const { problems } = failure('{{ nope }}\n{{ if }}x{{ end }}\n{{ "open }}\n{{ $x }} ok {{ 1 | 2 }}');
  assert.deepEqual(
    problems.map((p) => [p.line, p.column]),
    [
      [1, 4],
      [2, 7],
      [3, 4],
      [4, 4],
      [4, 20],
    ],
  );
});

test('faults of all shared files are reported', () => {
  assert.throws(
    () =>
      parseTemplates([
        { name: 'one', text: '{{ nope }}' },
        { name: 'two', text: '{{ end }}' },
      ]),
    (error) => error instanceof TemplateError && error.problems.map((p) => p.template).join() === 'one,two',
  );
});

test('a block that is never ended is named where it starts', () => {
  const error = failure('a\n{{ if true }}\n{{ range list }}{{ end }}\n');
  assert.equal(place(error), 'a/build.yaml:2:1');
  assert.match(error.hint ?? '', /end/);
});

test('an error in a shared template tells who called it', () => {
  const error = failure(
    '\n {{ include "outer" 1 }}',
    new Map(),
    '{{ define "outer" }}{{ template "inner" . }}{{ end }}\n{{ define "inner" }}{{ fail "no" }}{{ end }}',
  );
  assert.equal(place(error), 'templates/x.yaml:2:24');
  assert.equal(error.reason, 'no');
  assert.deepEqual(error.via, [
    { template: 'templates/x.yaml', line: 1, column: 21, name: 'inner' },
    { template: 'a/build.yaml', line: 2, column: 5, name: 'outer' },
  ]);
});

test('hostile keys are only keys', () => {
  const data = new Map<string, Value>([
    ['__proto__', 'p'],
    ['constructor', 'c'],
  ]);
  const set = parseTemplates([]);
  const text =
    '{{ .__proto__ }}{{ .constructor }}{{ .toString }}{{ index (dict "__proto__" 1) "__proto__" }}';
  assert.equal(render(set.with({ name: 't', text }), data).text, 'pc<no value>1');
  assert.throws(() => set.with({ name: 't', text: '{{ constructor }}' }), /unknown function/);
});
