import assert from 'node:assert/strict';
import test from 'node:test';
import { eventInFlags, inFlags } from '../../src/cli/advice.ts';

test('what the rooms say without flags is told with them', () => {
  const finding = { code: 'no-limit', severity: 'error', message: 'the engine cannot limit memory' } as const;
  assert.deepEqual(inFlags({ ...finding, option: 'memory', hint: 'h' }), {
    ...finding,
    message: '--memory: the engine cannot limit memory',
    hint: 'h',
  });
  assert.deepEqual(inFlags({ ...finding, option: 'isolation', hint: 'ask', advice: 'ask-engine' }), {
    ...finding,
    message: '--isolation required: the engine cannot limit memory',
    hint: "'luet-ts engine' says what each better way of working lacks here",
  });
  assert.deepEqual(inFlags(finding), finding);
});

test('failures of packages are told with flags, too', () => {
  const lost = { code: 'out-of-memory', severity: 'error', message: 'm', advice: 'more-memory' } as const;
  const told = eventInFlags({ type: 'failed', package: 'c/n-1', diagnostics: [lost] });
  assert.match(JSON.stringify(told), /"hint":"give each package more memory \(--memory\)/);
  assert.doesNotMatch(JSON.stringify(told), /advice/);
});
