import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { renderTemplate, type TemplateOptions } from '../../src/tree/index.ts';
import { brief, definition, folder, treeOf } from './support.ts';

const files = {
  'values.yaml': 'name: x\nn: 1.10\nmap: {a: 1, b: 2}\n',
  'more.yaml': 'n: 7\nmap: {b: 3}\n',
  'templates/shared.yaml': '{{ define "shared" }}shared {{ .name }}{{ end }}',
  'broken/shared.yaml': '{{ define "x" }}',
  'a.yaml':
    'a: {{ .Values.n }} {{ .Values.map.a }}{{ .Values.map.b }} {{ .Values.none }}\n{{ include "shared" .Values }}\n',
};

const render = (t: TestContext, options: Partial<TemplateOptions>) =>
  renderTemplate({ cwd: folder(t, files), file: 'a.yaml', ...options });

test('a template is rendered with values files laid over each other, and with shared templates', async (t) => {
  const { text, problems } = await render(t, {
    values: ['values.yaml', 'more.yaml'],
    templates: 'templates',
  });
  assert.deepEqual([text, problems], ['a: 7 13 <no value>\nshared x\n', []]);
});

test('it comes out as a build.yaml would', async (t) => {
  const build = 'image: {{ .Values.n }}-{{ .Values.name | upper }}\nenv:\n- D={{ now | date "2006" }}\n';
  const own = 'n: 1.10\n';
  const tree = await treeOf(t, { 'a/definition.yaml': definition('c/a-1', own), 'a/build.yaml': build });
  const cwd = folder(t, { 'definition.yaml': definition('c/a-1', own), 'build.yaml': build });
  const { text, problems } = await renderTemplate({ cwd, file: 'build.yaml', values: ['definition.yaml'] });
  assert.equal(text, tree.byKey('c/a-1')?.rendered);
  assert.deepEqual(brief(problems), ['template-unstable build.yaml:3:8']);
});

test('a text can be given, and is called as it is wanted', async (t) => {
  const { text } = await render(t, { file: '-', text: Buffer.from('{{ add 1 2 }}') });
  assert.equal(text, '3');
  const failed = await render(t, { file: '-', text: Buffer.from('\n {{ fail "no" }}') });
  assert.deepEqual([failed.text, brief(failed.problems)], [undefined, ['template-error -:2:5']]);
});

test('whatever is wrong is told, and then there is no text', async (t) => {
  const cases: readonly (readonly [Partial<TemplateOptions>, string])[] = [
    [{ file: 'nowhere.yaml' }, 'unreadable nowhere.yaml'],
    [{ values: ['nowhere.yaml'] }, 'unreadable nowhere.yaml'],
    [{ values: ['a.yaml'] }, 'yaml-syntax a.yaml:1:4'],
    [{ templates: 'nowhere' }, 'unreadable nowhere'],
    [{ templates: 'broken' }, 'template-syntax broken/shared.yaml:1:1'],
    [{}, 'template-error a.yaml:1:23'],
    [{ file: '-', text: Buffer.from('{{ end }}') }, 'template-syntax -:1:1'],
    [{ file: '-', text: Buffer.from([0xff]) }, 'not-utf8 -'],
  ];
  for (const [options, expected] of cases) {
    const { text, problems } = await render(t, options);
    assert.equal(text, undefined);
    assert.ok(brief(problems).includes(expected), `${expected} in ${brief(problems)}`);
  }
});
