import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseTemplates, render, TemplateError, type Value } from '../../src/template/index.ts';
import { tokenize } from '../../src/template/lexer.ts';
import { generate } from './generate.ts';
import { mapOf } from './values.ts';

const set = parseTemplates([]);
const run = (text: string, data = new Map<string, Value>()): string =>
  render(set.with({ name: 't', text }), data, { now: 0n }).text;

/** Text that is likely to hold what templates are made of. */
const source = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '{{',
        '}}',
        '{{- ',
        ' -}}',
        '/*',
        '*/',
        '"',
        '`',
        "'",
        '.',
        '$',
        '$x',
        ':=',
        '|',
        '(',
        ')',
        ' ',
        '\n',
      ),
      fc.constantFrom(
        'if',
        'end',
        'range',
        'define',
        'print',
        '1',
        '0x',
        '1.5e',
        '-',
        '\\',
        '☃',
        '{{ 1 }}',
        'nil',
        ',',
      ),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

const text = fc.string({ unit: 'grapheme' });
const json: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
})).value;

test('the tokens of a template are all of it', () => {
  fc.assert(
    fc.property(source, (input) => {
      const tokens = tokenize(input);
      assert.equal(tokens.map((token) => token.text).join(''), input);
      let at = 0;
      for (const token of tokens) {
        assert.equal(token.start, at);
        at += token.text.length;
      }
    }),
    { numRuns: 2000 },
  );
});

test('whatever the text, a template renders or fails with a place', () => {
  fc.assert(
    fc.property(source, (input) => {
      try {
        run(input);
      } catch (error) {
        assert.ok(error instanceof TemplateError, String(error));
        const lines = input.split('\n');
        assert.ok(error.line >= 1 && error.line <= lines.length);
        assert.ok(error.column >= 1 && error.column <= (lines[error.line - 1]?.length ?? 0) + 1);
      }
    }),
    { numRuns: 2000 },
  );
});

test('text without actions is copied, and leads to itself', () => {
  fc.assert(
    fc.property(text, (input) => {
      fc.pre(!input.includes('{{'));
      const rendered = render(set.with({ name: 't', text: input }), new Map());
      assert.equal(rendered.text, input);
      for (let i = 0; i < input.length; i++) {
        const origin = rendered.origin(i);
        const before = input.slice(0, i).split('\n');
        assert.deepEqual([origin?.line, origin?.column], [before.length, (before.at(-1)?.length ?? 0) + 1]);
      }
    }),
  );
});

test('generated templates render the same every time', () => {
  for (let seed = 0; seed < 400; seed++) {
    const { template, values } = generate(seed);
    const once = (): string => {
      try {
        return run(template, new Map([['Values', mapOf(values)]]));
      } catch (error) {
        assert.ok(error instanceof TemplateError, `${seed}: ${String(error)}`);
        return error.message;
      }
    };
    assert.equal(once(), once());
  }
});

test('rendering leaves a parsed template as it was', () => {
  const template = set.with({
    name: 't',
    text: '{{ $x := 1 }}{{ range .l }}{{ $x = add $x . }}{{ end }}{{ $x }}',
  });
  const data = (): Map<string, Value> => new Map([['l', [1n, 2n]]]);
  assert.equal(render(template, data()).text, render(template, data()).text);
});

test('a quoted text means the text again', () => {
  fc.assert(
    fc.property(text, (input) => {
      const quoted = run('{{ quote .a }}', new Map([['a', input]]));
      assert.equal(run(`{{ ${quoted} }}`), input);
    }),
  );
});

test('JSON, YAML and base64 give back what went in', () => {
  fc.assert(
    fc.property(json, (value) => {
      const data = (): Map<string, Value> => new Map<string, Value>([['a', new Map([['v', value]])]]);
      const want = run('{{ toJson .a }}', data());
      assert.equal(run('{{ toJson .a | fromJson | toJson }}', data()), want);
      assert.equal(run('{{ toPrettyJson .a | mustFromJson | toJson }}', data()), want);
    }),
  );
  fc.assert(
    fc.property(text, (input) => {
      assert.equal(
        run('{{ b64enc .a | b64dec }}{{ b32enc .a | b32dec }}', new Map([['a', input]])),
        input + input,
      );
    }),
  );
});

test('YAML gives back what went in', () => {
  const plain = fc.string({
    unit: fc.constantFrom(...'ab1 0-:#"\'\\[]{}&*!|>%@`,?~=.\n\txyn☃'),
    maxLength: 12,
  });
  const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.boolean(),
      plain,
      fc.integer().map(Number),
      // A negative zero becomes a zero on its way through JSON, in Go too.
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(plain, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    ),
  })).value;
  fc.assert(
    fc.property(value, (input) => {
      const data = (): Map<string, Value> => new Map<string, Value>([['a', new Map([['v', input]])]]);
      const want = run('{{ toJson .a }}', data());
      assert.equal(
        run('{{ toYaml .a | println | fromYaml | toJson }}', data()),
        want,
        run('{{ toYaml .a }}', data()),
      );
    }),
    { numRuns: 500 },
  );
});
