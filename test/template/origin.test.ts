import assert from 'node:assert/strict';
import test from 'node:test';
import { parseTemplates, render, type TemplateOrigin, type Value } from '../../src/template/index.ts';

const SHARED = {
  name: 'templates/x.yaml',
  text: '{{ define "greet" }}hello\nto {{ .who }}\n{{ end }}\n{{ define "outer" }}[{{ include "greet" . }}]{{ end }}',
};
const data = (): Map<string, Value> =>
  new Map([
    [
      'Values',
      new Map<string, Value>([
        ['who', 'you'],
        ['n', 7n],
      ]),
    ],
  ]);

function originOf(text: string, part: string): TemplateOrigin | undefined {
  const rendered = render(parseTemplates([SHARED]).with({ name: 'build.yaml', text }), data());
  const at = rendered.text.indexOf(part);
  assert.ok(at >= 0, `${JSON.stringify(rendered.text)} has no ${part}`);
  return rendered.origin(at);
}

test('copied text leads to its own character', () => {
  const origin = originOf('a: 1\n{{- if true }}\nbc: 2\n{{- end }}', 'c: 2');
  assert.deepEqual(origin, { template: 'build.yaml', line: 3, column: 2 });
});

test('trimmed text is counted', () => {
  const origin = originOf('{{ 1 -}}  \n   x', 'x');
  assert.deepEqual(origin, { template: 'build.yaml', line: 2, column: 4 });
});

test('printed text leads to its action and the values that it read', () => {
  const origin = originOf('\nname: {{ .Values.who | printf "%s-%s" "x" }}', 'x-you');
  assert.deepEqual(origin, {
    template: 'build.yaml',
    line: 2,
    column: 7,
    expression: '{{ .Values.who | printf "%s-%s" "x" }}',
    values: [{ expression: '.Values.who', value: 'you' }],
  });
});

test('values of fields, variables and nested pipelines are known', () => {
  const text =
    '\nx: {{ $v := .Values.n }}{{ range $i, $e := list "a" }}{{ print $i (upper $e) $v $.Values.who }}{{ end }}';
  const origin = originOf(text, '0A');
  assert.equal(origin?.line, 2);
  assert.equal(origin?.expression, '{{ print $i (upper $e) $v $.Values.who }}');
  assert.deepEqual(origin?.values, [
    { expression: '$i', value: 0n },
    { expression: '$e', value: 'a' },
    { expression: '$v', value: 7n },
    { expression: '$.Values.who', value: 'you' },
  ]);
});

test('text of a template leads into it, and tells who called', () => {
  const copied = originOf('x\n  {{ template "greet" .Values }}', 'to');
  assert.deepEqual(copied, {
    template: 'templates/x.yaml',
    line: 2,
    column: 1,
    via: [{ template: 'build.yaml', line: 2, column: 3, name: 'greet' }],
  });
  const printed = originOf('{{ template "greet" .Values }}', 'you');
  assert.equal(printed?.template, 'templates/x.yaml');
  assert.deepEqual([printed?.line, printed?.column], [2, 4]);
  assert.deepEqual(printed?.values, [{ expression: '.who', value: 'you' }]);
});

test('an include that is printed unchanged leads into it', () => {
  const origin = originOf('x\n{{ include "outer" .Values }}', 'to');
  assert.equal(origin?.template, 'templates/x.yaml');
  assert.deepEqual([origin?.line, origin?.column], [2, 1]);
  assert.deepEqual(
    origin?.via?.map((site) => [site.name, site.template, site.line]),
    [
      ['greet', 'templates/x.yaml', 4],
      ['outer', 'build.yaml', 2],
    ],
  );
});

test('an include that is changed leads to the action', () => {
  const origin = originOf('x\n {{ include "greet" .Values | indent 4 }}', 'to');
  assert.deepEqual([origin?.template, origin?.line, origin?.column], ['build.yaml', 2, 2]);
  assert.equal(origin?.expression, '{{ include "greet" .Values | indent 4 }}');
});

test('every character has an origin, and nothing beyond the end has', () => {
  const text =
    'a{{ include "outer" .Values }}\n{{ template "greet" .Values }}☃{{ .Values.n }}{{ trunc 1 "ü" }}z';
  const rendered = render(parseTemplates([SHARED]).with({ name: 'build.yaml', text }), data());
  for (let i = 0; i < rendered.text.length; i++) assert.ok(rendered.origin(i) !== undefined);
  assert.equal(rendered.origin(rendered.text.length), undefined);
  assert.equal(rendered.origin(-1), undefined);
  assert.equal(rendered.origin(rendered.text.length - 1)?.column, text.split('\n')[1]?.length);
});

test('bytes that come to form a character do not move what is behind them', () => {
  const text = '{{ trunc 1 "ü" }}{{ "\\xbc" }}x\ny';
  const rendered = render(parseTemplates([]).with({ name: 't', text }), data());
  assert.equal(rendered.text, 'üx\ny');
  assert.deepEqual(rendered.origin(3), { template: 't', line: 2, column: 1 });
});
