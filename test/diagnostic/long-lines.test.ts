import assert from 'node:assert/strict';
import test from 'node:test';
import { formatDiagnostic } from '../../src/diagnostic/index.ts';

/* Lines of hostile files are as long as the files. */

const finding = (column: number, endColumn: number, source: string): string =>
  formatDiagnostic(
    {
      code: 'wrong-type',
      severity: 'error',
      message: 'no',
      place: { file: 'f', line: 1, column, endColumn },
    },
    { source: () => source },
  );

test('of a long line what lies around the place is shown, with the marks below it', () => {
  const line = `${'a'.repeat(500_000)}HERE${'b'.repeat(500_000)}`;
  const rows = finding(500_001, 500_005, line).split('\n');
  assert.ok(rows.every((row) => row.length < 400));
  const at = rows[1]?.indexOf('HERE') ?? -1;
  assert.ok(at > 0);
  assert.equal(rows[2], `${'    |'.padEnd(at)}^^^^`);
  assert.match(rows[1] ?? '', /^ {2}1 \| …a+HEREb+…$/);
});

test('marks end where the line is cut, and a short line is whole', () => {
  assert.ok(finding(1, 1_000_000, 'x'.repeat(1_000_000)).length < 1000);
  assert.match(finding(301, 302, `${'y'.repeat(300)}z`), /\n {2}1 \| …y{100}z\n {4}\| {102}\^$/);
  assert.match(finding(150, 151, 'y'.repeat(250)), /\n {2}1 \| y{250}\n/);
});

test('no cut leaves half of a password', () => {
  const line = `${' '.repeat(480)}https://me:${'secret'.repeat(10)}@example.org ${'c'.repeat(900)}`;
  assert.doesNotMatch(finding(600, 601, line), /secret/);
});
