import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { compileExpression } from '../../src/spec/index.ts';

interface Row {
  readonly pattern: string;
  readonly matches?: readonly number[];
  readonly error?: string;
}

const [head = '', ...lines] = readFileSync(new URL('../fixtures/regex.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const { paths }: { paths: string[] } = JSON.parse(head);

for (const line of lines) {
  const row: Row = JSON.parse(line);
  test(`Go's regexp ${row.error === undefined ? 'accepts' : 'refuses'} ${JSON.stringify(row.pattern)}`, () => {
    const compiled = compileExpression(row.pattern);
    if (row.error !== undefined) {
      assert.ok('error' in compiled);
      assert.match(compiled.error, /^[a-z]/);
      return;
    }
    assert.ok('program' in compiled);
    const found = paths.flatMap((path, i) => (compiled.program.matcher(path).find() ? [i] : []));
    assert.deepEqual(found, row.matches);
  });
}

test('an expression that is wrong says where', () => {
  assert.deepEqual(compileExpression('^/usr/[a'), { error: 'missing closing ]: `[a`', offset: 6 });
});

test('group names are dropped where they are names, and nowhere else', () => {
  const finds = (expression: string, path: string): boolean => {
    const compiled = compileExpression(expression);
    assert.ok('program' in compiled, expression);
    return compiled.program.matcher(path).find();
  };
  assert.ok(finds('(?P<a>x)(?<a>y)', '/xy'));
  assert.ok(finds('[(?P<a>]z', '/<z'));
  assert.ok(finds('\\Q(?P<a>\\E', '/(?P<a>'));
  assert.ok(finds('\\(\\?P<a>', '(?P<a>'));
});

test('an expression of unreasonable length is refused', () => {
  assert.ok('error' in compileExpression('(a|b)'.repeat(10_000)));
});
