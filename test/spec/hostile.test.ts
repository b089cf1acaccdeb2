import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { Diagnostic } from '../../src/diagnostic/index.ts';
import {
  plainSource,
  readBuild,
  readCollection,
  readDefinition,
  readFinalize,
} from '../../src/spec/index.ts';

const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...[
        'name',
        'version',
        'requires',
        'steps',
        'packages',
        'copy',
        'env',
        'includes',
        'image',
        'subpackages',
      ],
      ...[
        ': ',
        ':\n',
        '\n- ',
        '\n  ',
        '\n',
        '- ',
        ', ',
        '{',
        '}',
        '[',
        ']',
        '&a ',
        '*a',
        '<<: ',
        '!!str ',
        '!',
        '? ',
      ],
      ...[
        '"',
        "'",
        '|\n',
        '>-\n',
        '#',
        '---\n',
        '...\n',
        '%YAML 1.1\n',
        '\t',
        '\r\n',
        '\\',
        '\\x',
        '~',
        'null',
        '0x',
      ],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
);

test('no text makes reading throw, and places lie inside of it', async () => {
  const wrong = (text: string, problems: readonly Diagnostic[]): boolean =>
    problems.some(({ place }) => {
      const { line = 1, column = 1 } = place ?? {};
      const row = text.split('\n')[line - 1];
      return row === undefined || column > row.length + 1;
    });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const text = pieces.join('');
      for (const read of [readDefinition, readCollection, readBuild, readFinalize]) {
        const { problems } = await read(plainSource('f', text));
        assert.ok(!wrong(text, problems), JSON.stringify(problems));
      }
      // Values are made late, from the same text.
      const { definitions } = await readDefinition(plainSource('f', text));
      for (const { values, name } of definitions) assert.equal(values.get('name'), name);
    }),
    { numRuns: 500 },
  );
});
