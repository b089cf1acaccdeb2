import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addedVariables, changeEnvironment } from '../../../src/engine/docker/container/environment.ts';

test('an environment is changed by what differs, and by names that a shell can set', () => {
  const before = new Map([
    ['SAME', '1'],
    ['OTHER', '2'],
    ['GONE', '3'],
    ['not-settable', '4'],
  ]);
  const after = new Map([
    ['SAME', '1'],
    ['OTHER', "it's"],
    ['NEW', ''],
    ['also-not', '5'],
  ]);
  assert.equal(changeEnvironment(before, after), `export OTHER='it'\\''s'\nexport NEW=''\nunset GONE`);
  assert.equal(changeEnvironment(after, after), '');
});

test('variables that an engine or a shell added are found, each once', () => {
  const configured = ['PATH=/bin', 'container=podman', 'TERM=xterm', 'HOSTNAME=x', 'a-b=c', 'broken'];
  assert.deepEqual(addedVariables(configured, new Map([['PATH', '/bin']])), ['container', 'TERM', 'SHLVL']);
  assert.deepEqual(addedVariables(['SHLVL=1'], new Map([['SHLVL', '1']])), []);
});
