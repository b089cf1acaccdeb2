// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what a Dockerfile expands looks like a template.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { expandEnvironment } from '../../src/spec/index.ts';

const environment = new Map([
  ['PATH', '/bin'],
  ['EMPTY', ''],
  ['X', 'x y'],
]);

/** An item of `env`, and what a Dockerfile's ENV makes of it in that environment. */
const table: readonly (readonly [item: string, ...pairs: (readonly [string, string])[]])[] = [
  ['A=1', ['A', '1']],
  ['A=', ['A', '']],
  ['PATH=$PATH:/x', ['PATH', '/bin:/x']],
  ['PATH=${PATH}:/x', ['PATH', '/bin:/x']],
  ['MSG="two words"', ['MSG', 'two words']],
  ["MSG='two words'", ['MSG', 'two words']],
  ["A='$PATH'", ['A', '$PATH']],
  ['A="$PATH"', ['A', '/bin']],
  ['A=\\$PATH', ['A', '$PATH']],
  ['A="\\$PATH \\"q\\" \\n"', ['A', '$PATH "q" \\n']],
  ['A=one\\ word', ['A', 'one word']],
  ['A=1 B=2', ['A', '1'], ['B', '2']],
  ['A=1 B=$A', ['A', '1'], ['B', '']],
  ['A=$UNSET-', ['A', '-']],
  ['A=${UNSET:-other}', ['A', 'other']],
  ['A=${EMPTY:-other}', ['A', 'other']],
  ['A=${EMPTY-other}', ['A', '']],
  ['A=${PATH:-other}', ['A', '/bin']],
  ['A=${PATH:+set}', ['A', 'set']],
  ['A=${EMPTY:+set}', ['A', '']],
  ['A=${EMPTY+set}', ['A', 'set']],
  ['A=${UNSET:-$PATH}', ['A', '/bin']],
  ['A=$X', ['A', 'x y']],
  ['A=a=b', ['A', 'a=b']],
  ['A=pre"mid dle"post', ['A', 'premid dlepost']],
  ['A=$', ['A', '$']],
];

for (const [item, ...pairs] of table) {
  test(`ENV ${item}`, () => assert.deepEqual(expandEnvironment(item, environment), { ok: true, pairs }));
}

for (const item of ['A="open', "A='open", 'A=1 two', 'A=${PATH', 'A=${PATH%x}', '=x']) {
  test(`ENV ${item} is refused`, () => assert.equal(expandEnvironment(item, environment).ok, false));
}

test('any text that stands between single quotes is kept as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(!text.includes("'"));
      assert.deepEqual(expandEnvironment(`A='${text}'`, environment), { ok: true, pairs: [['A', text]] });
    }),
  );
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expandEnvironment(text, environment);
    }),
  );
});
