import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { RE2JS } from 're2js';
import { withKnownProperties } from '../../src/expression/index.ts';

interface Row {
  readonly pattern: string;
  /** Ranges of places among the characters: `0-3,7`. */
  readonly matches?: string;
  readonly error?: string;
}

// What Go 1.25 says, written by regex-properties.go beside it.
const [head = '', ...lines] = readFileSync(
  new URL('../fixtures/regex-properties.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n');
const { chars }: { chars: number[] } = JSON.parse(head);
const texts = chars.map((one) => String.fromCodePoint(one));

function answer(pattern: string): Omit<Row, 'pattern'> {
  const named = withKnownProperties(pattern);
  if ('error' in named) return { error: named.error };
  let program: RE2JS;
  try {
    program = RE2JS.compile(named.text);
  } catch (error) {
    return { error: (error as Error).message.replace(/^error parsing regexp: /, '') };
  }
  const parts: string[] = [];
  for (let i = 0; i < texts.length; i++) {
    const from = i;
    while (i < texts.length && program.matcher(texts[i] ?? '').find()) i++;
    if (i > from) parts.push(i - 1 > from ? `${from}-${i - 1}` : `${from}`);
  }
  return { matches: parts.join() };
}

test('names of properties are those of Go, and mean the same characters', () => {
  const wrong = lines.flatMap((line) => {
    const { pattern, ...expected }: Row = JSON.parse(line);
    const found = answer(pattern);
    const isSame =
      expected.error === undefined ? found.matches === expected.matches : found.error === expected.error;
    return isSame ? [] : [{ pattern, expected, found }];
  });
  assert.deepEqual(wrong, []);
  assert.ok(lines.length > 800);
});

test('what stands before an unknown name is kept, and its offset is told', () => {
  assert.deepEqual(withKnownProperties('^/a[\\p{l}]\\p{Nothing}$'), {
    error: 'invalid character class range: `\\p{Nothing}`',
    offset: 10,
  });
});
