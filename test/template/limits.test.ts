import assert from 'node:assert/strict';
import test from 'node:test';
import {
  parseTemplates,
  type RenderOptions,
  render,
  TemplateError,
  type Value,
} from '../../src/template/index.ts';

function run(text: string, options: RenderOptions = {}, data = new Map<string, Value>()): string {
  return render(parseTemplates([]).with({ name: 't', text }), data, options).text;
}

const fails = (text: string, reason: RegExp, options: RenderOptions = {}): void => {
  assert.throws(
    () => run(text, options),
    (error) => error instanceof TemplateError && reason.test(error.reason) && error.line === 1,
    text,
  );
};

test('endless recursion ends with an error', () => {
  fails('{{ define "f" }}{{ template "f" }}{{ end }}{{ template "f" }}', /exceeds 1000 levels/);
  fails('{{ define "f" }}{{ include "f" . }}{{ end }}{{ include "f" . }}', /exceeds 1000 levels/);
  fails(
    '{{ define "f" }}{{ range list 1 }}{{ with 1 }}{{ if 1 }}{{ print (include "f" . | trim) }}{{ end }}{{ end }}{{ end }}{{ end }}{{ include "f" . }}',
    /exceeds 1000 levels/,
  );
});

test('how deep templates nest can be set', () => {
  const count =
    '{{ define "f" }}{{ . }}{{ if gt . 0 }}{{ template "f" (int (sub . 1)) }}{{ end }}{{ end }}{{ template "f" 9 }}';
  assert.equal(run(count), '9876543210');
  fails(count, /exceeds 10 levels/, { limits: { depth: 10 } });
});

test('a value that contains itself ends with an error', () => {
  fails('{{ $d := dict }}{{ set $d "d" $d }}', /call stack/);
  fails('{{ $d := dict }}{{ set $d "d" $d | mustToJson }}', /contains itself/);
  assert.equal(run('{{ $d := dict }}{{ set $d "d" $d | toJson }}{{ toYaml $d }}'), '');
});

test('output and values are bounded', () => {
  const limits = { outputBytes: 1000 };
  fails('{{ range until 100 }}0123456789 {{ end }}', /exceeds the limit of 1000 bytes/, { limits });
  fails('{{ repeat 1001 "x" }}', /1001 characters/, { limits });
  fails('{{ repeat 9223372036854775807 "x" }}', /the limit is/);
  fails('{{ indent 1000000000 "x\\ny" }}', /the limit is/);
  fails('{{ until 9223372036854775807 }}', /the limit is/);
  fails('{{ seq 1 2 9223372036854775807 }}', /the limit is/);
  fails('{{ $x := "ab" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}', /the limit is/, { limits });
  assert.equal(run('{{ repeat 900 "x" | len }}', { limits }), '900');
});

test('work is bounded, whatever does it', () => {
  const nested = '{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}';
  const other = nested.replaceAll('$x', '$y');
  for (const text of [
    '{{ range 9223372036854775807 }}{{ end }}',
    '{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}',
    '{{ range until 100000 }}{{ $x := until 100000 }}{{ end }}',
    '{{ range until 100000 }}{{ $x := repeat 1000000 "x" }}{{ end }}',
    '{{ range until 10000 }}{{ $x := contains "y" (repeat 1000000 "x") }}{{ end }}',
    '{{ define "f" }}{{ range until 1000 }}{{ end }}{{ end }}{{ range until 100000 }}{{ template "f" }}{{ end }}',
    `${nested}{{ $x }}`,
    `${nested}{{ printf "%v" $x }}`,
    `${nested}{{ toJson $x }}`,
    `${nested}{{ toYaml $x }}`,
    `${nested}{{ $z := deepCopy $x }}`,
    `${nested}${other}{{ deepEqual $x $y }}`,
    `${nested}{{ toToml (dict "a" $x) }}`,
    '{{ $x := dict "a" 1 }}{{ range until 60 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ merge (deepCopy $x) $x }}',
    '{{ until 100000 | uniq }}',
    '{{ range until 100000 }}{{ has -1 (until 10000) }}{{ end }}',
    '{{ range until 1000 }}{{ regexMatch "(a?){100}b" (repeat 10000 "a") }}{{ end }}',
    '{{ $x := repeat 100000 "a: 1\\n" }}{{ range until 1000 }}{{ $y := fromYaml $x }}{{ end }}',
    '{{ $x := repeat 100000 "[1]" }}{{ range until 1000 }}{{ $y := fromJson $x }}{{ end }}',
  ])
    fails(text, /exceeds the limit of 100000 steps/, { limits: { steps: 100_000 } });
  fails('{{ range 9223372036854775807 }}{{ end }}', /exceeds the limit of 5000000 steps/);
  assert.equal(
    run('{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}{{ until 1000000 | len }}'),
    '1000000',
  );
  fails('{{ range until 100 }}x{{ end }}', /exceeds the limit of 100 steps/, { limits: { steps: 100 } });
});

test('deeply nested source is refused or read, but never exhausts the stack', () => {
  assert.throws(() => run(`{{ ${'('.repeat(100000)}1${')'.repeat(100000)} }}`), /nesting exceeds/);
  assert.throws(() => run('{{ if true }}'.repeat(100000)), TemplateError);
  assert.equal(run(`{{ ${'('.repeat(400)}1${')'.repeat(400)} }}`), '1');
});

test('only what is passed in is seen of the environment and the clock', () => {
  process.env.TEMPLATE_SECRET = 'leaked';
  assert.equal(run('{{ env "TEMPLATE_SECRET" }}{{ expandenv "<$TEMPLATE_SECRET>" }}'), '<>');
  delete process.env.TEMPLATE_SECRET;
  const env = new Map([['A', '1']]);
  assert.equal(run('{{ env "A" }}{{ expandenv "$A-$\u007bA}" }}', { env }), '11-1');
  fails('{{ now }}', /time is not available/);
  assert.equal(run('{{ now | date "2006-01-02" }}', { now: new Date('2024-02-29T12:00:00Z') }), '2024-02-29');
});

test('the clock warns once for each place', () => {
  const warnings: string[] = [];
  run('{{ range until 3 }}{{ now | unixEpoch }}{{ end }}{{ now.Year }}', {
    now: 0n,
    onWarning: ({ line, column, reason }) => warnings.push(`${line}:${column} ${reason}`),
  });
  assert.deepEqual(warnings, [
    '1:23 the output depends on the current time',
    '1:53 the output depends on the current time',
  ]);
});
