import assert from 'node:assert/strict';
import test from 'node:test';
import { jsonText } from '../../src/diagnostic/index.ts';

test('JSON holds no character that a terminal acts on, and means the same', () => {
  const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('');
  const data = { [`${all}\ufeff`]: [all, 1, '\u{1f600}'] };
  for (const indent of [undefined, 2]) {
    const text = jsonText(data, indent);
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]/);
    assert.deepEqual(JSON.parse(text), data);
  }
  assert.equal(
    jsonText({ a: 1.5 }, undefined, (_, value) => (value === 1.5 ? 2 : value)),
    '{"a":2}',
  );
});
