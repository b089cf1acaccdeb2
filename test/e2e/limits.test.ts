import assert from 'node:assert/strict';
import test from 'node:test';
import { cli } from '../support/cli.ts';
import { ENGINE, testEngine } from '../support/engine.ts';
import { filesOf, makeSite, onBase } from '../support/site.ts';

const engine = await testEngine();
const { limits, name } = await engine.report();
await engine.close();

/** Ends when its memory does; bounded, for where that has no end. */
const EATS = 'x=a; i=0; while [ $i -lt 27 ]; do x=$x$x; i=$((i+1)); done';

test('a package that takes more memory than it may', { timeout: 60_000 }, async (t) => {
  if (!limits.memory.possible) return t.skip(limits.memory.reason);
  const site = makeSite(t, {
    big: { build: onBase(`${EATS}; echo big >/big`) },
    small: { build: onBase('echo small >/small') },
  });
  const answer = await site.build(['--all', '--concurrency', '2', '--memory', '64M']);
  assert.equal(answer.code, 1);
  assert.match(
    answer.stderr,
    /error\[out-of-memory\]: t\/big-1: memory ran out: .*; the limit is 64 MiB, in steps: x=a/,
  );
  assert.match(answer.stderr, /hint: give each package more memory \(--memory\)/);
  // It would get no more the next time, whatever is beside it.
  assert.doesNotMatch(answer.stderr, /started again|step-failed|bug/);
  assert.deepEqual(await filesOf(site.out, 'small'), ['small']);

  // Without the limit it is the same package, under the same key.
  const again = await site.build(['--all']);
  assert.equal(again.code, 0, again.stderr);
  const images = await site.images();
  const unlimited = await site.build(['--all', '--rebuild', '--memory', '2G', '--processes', '500']);
  assert.equal(unlimited.code, 0, unlimited.stderr);
  assert.deepEqual(await site.images(), images);
});

test('a package whose steps begin more processes than they may', { timeout: 60_000 }, async (t) => {
  if (!limits.processes.possible) return t.skip(limits.processes.reason);
  const crowd = 'i=0; while [ $i -lt 200 ]; do sleep 60 & i=$((i+1)); done; echo a >/a';
  const site = makeSite(t, { a: { build: onBase(crowd) } });
  const answer = await site.build(['--all', '--processes', '40']);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /error\[step-failed\]: t\/a-1: steps: exit code \d+/);
  assert.equal((await site.build(['--all'])).code, 0);
});

test('limits that cannot be had are refused before anything is built', async (t) => {
  const asked = [
    ...(limits.memory.possible ? [] : [['--memory', '64M']]),
    ...(limits.processes.possible ? [] : [['--processes', '40']]),
  ];
  if (asked.length === 0) return t.skip('they can be had');
  const site = makeSite(t, { a: { build: onBase('true') } });
  for (const [flag = '', value = ''] of asked) {
    const answer = await site.build(['--all', flag, value]);
    assert.equal(answer.code, 1);
    assert.match(
      answer.stderr,
      new RegExp(`error\\[no-limit\\]: ${flag}: the engine \\(${name}\\) cannot limit `),
    );
    assert.doesNotMatch(answer.stderr, /steps/);
  }
  assert.deepEqual(await site.images(), []);
});

test('what is said of limits', async () => {
  const words = ENGINE === undefined ? [] : ['--engine', ENGINE];
  const text = await cli(['engine', ...words]);
  assert.equal(text.code, 0, text.stderr);
  const { memory, processes } = limits;
  const set = [memory.possible ? ['memory'] : [], processes.possible ? ['processes'] : []].flat();
  assert.match(
    text.stdout,
    set.length === 0 ? /^limits +none: \S/m : new RegExp(`^limits +on ${set.join(' and ')}`, 'm'),
  );
  const { stdout } = await cli(['engine', '-o', 'json', ...words]);
  assert.deepEqual((JSON.parse(stdout) as { limits: typeof limits }).limits, limits);
});
