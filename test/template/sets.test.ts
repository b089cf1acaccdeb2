import assert from 'node:assert/strict';
import test from 'node:test';
import { parseTemplates, render, TemplateError } from '../../src/template/index.ts';

const shared = (...texts: string[]) =>
  parseTemplates(texts.map((text, i) => ({ name: `templates/${i}.yaml`, text })));
const run = (set: ReturnType<typeof parseTemplates>, text: string): string =>
  render(set.with({ name: 'build.yaml', text }), new Map()).text;

test('shared definitions are available, and their surroundings are not', () => {
  assert.equal(run(shared('before {{ define "a" }}A{{ end }} after'), '{{ template "a" }}'), 'A');
});

test('of two shared definitions the later one counts, unless it is empty', () => {
  const set = shared(
    '{{ define "a" }}1{{ end }}',
    '{{ define "a" }}2{{ end }}',
    '{{ define "a" }} \n{{ end }}',
  );
  assert.equal(run(set, '{{ template "a" }}'), '2');
});

test('a file replaces shared definitions for itself alone, also for shared templates that use them', () => {
  const set = shared('{{ define "a" }}shared{{ end }}{{ define "b" }}<{{ template "a" }}>{{ end }}');
  assert.equal(run(set, '{{ define "a" }}own{{ end }}{{ template "b" }}'), '<own>');
  assert.equal(run(set, '{{ template "b" }}'), '<shared>');
});

test('a block is a definition that a shared one of the same name gives way to', () => {
  const set = shared('{{ define "a" }}shared{{ end }}');
  assert.equal(run(set, '{{ block "a" . }}own{{ end }}'), 'own');
  assert.equal(run(set, '{{ block "c" 5 }}{{ . }}{{ end }}'), '5');
});

test('one template renders many data', () => {
  const template = shared().with({ name: 't', text: '{{ .n }};' });
  assert.equal([1n, 2n, 3n].map((n) => render(template, new Map([['n', n]])).text).join(''), '1;2;3;');
});

test('files of one text are each called by their own name', () => {
  const set = shared('{{ define "call" }}{{ fail "no" }}{{ end }}{{ define "now" }}{{ now }}{{ end }}');
  const text =
    'x{{ define "own" }}{{ fail "own" }}{{ end }}{{ if .fail }}{{ template "call" }}{{ end }}\n{{ .a }}';
  const files = ['a/build.yaml', 'b/build.yaml'].map((name) => set.with({ name, text }));
  const rendered = files.map((file) => render(file, new Map([['a', 'b']])));
  assert.deepEqual(
    rendered.map(({ origin }) => [origin(0)?.template, origin(2)?.template]),
    [
      ['a/build.yaml', 'a/build.yaml'],
      ['b/build.yaml', 'b/build.yaml'],
    ],
  );
  for (const file of files) {
    assert.throws(
      () => render(file, new Map([['fail', true]])),
      (error) =>
        error instanceof TemplateError &&
        error.template === 'templates/0.yaml' &&
        error.via?.[0]?.template === file.name,
    );
  }
  for (const name of ['c', 'd']) {
    assert.throws(
      () => set.with({ name, text: '{{ nothing }}' }),
      (error) => error instanceof TemplateError && error.template === name,
    );
    const failing = set.with({ name, text: '{{ fail "x" }}' });
    assert.throws(
      () => render(failing, new Map()),
      (error) => error instanceof TemplateError && error.template === name,
    );
    const warned: string[] = [];
    const unstable = set.with({ name, text: '{{ now }}' });
    render(unstable, new Map(), { now: new Date(0), onWarning: ({ template }) => warned.push(template) });
    assert.deepEqual(warned, [name]);
  }
});

test('the names of shared templates are known', () => {
  assert.deepEqual(shared('{{ define "b" }}1{{ end }}', '{{ define "a" }}1{{ end }}').names, ['b', 'a']);
});

test('a template that is called but defined nowhere fails when it is called', () => {
  assert.equal(run(shared(), '{{ if false }}{{ template "no" }}{{ end }}x'), 'x');
  assert.throws(() => run(shared(), '{{ template "no" }}'), TemplateError);
});

test('integers are exact, floats print as Go prints them', () => {
  const data = new Map<string, bigint | number>([
    ['big', 9007199254740993n],
    ['seven', 7],
    ['v', 1.1],
    ['large', 12345678],
  ]);
  const template = shared().with({
    name: 't',
    text: '{{ .big }} {{ .seven }} {{ .v }} {{ .large }} {{ add .big 1 }}',
  });
  assert.equal(render(template, data).text, '9007199254740993 7 1.1 1.2345678e+07 9007199254740994');
});
