import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseChallenges } from '../../../src/image/registry/challenge.ts';
import { bodyText, safeText, TransientError } from '../../../src/image/registry/error.ts';
import { isLoopback } from '../../../src/image/registry/loopback.ts';
import { retryAfter, retrying, TRIES, triesOf } from '../../../src/image/registry/retry.ts';
import { testClock } from './support.ts';

test('challenges', () => {
  const plain = (header: string) =>
    parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...parameters }));
  assert.deepEqual(plain('Bearer realm="https://a/b?c,d",service="s",scope="repository:x:pull,push"'), [
    { scheme: 'bearer', realm: 'https://a/b?c,d', service: 's', scope: 'repository:x:pull,push' },
  ]);
  assert.deepEqual(plain('basic REALM = "say \\"hi\\"" , Bearer realm=plain, error="invalid_token"'), [
    { scheme: 'basic', realm: 'say "hi"' },
    { scheme: 'bearer', realm: 'plain', error: 'invalid_token' },
  ]);
  assert.deepEqual(plain('Negotiate, Basic'), [{ scheme: 'negotiate' }, { scheme: 'basic' }]);
  assert.deepEqual(plain(''), []);
  assert.deepEqual(plain('"'), []);
  fc.assert(fc.property(fc.string(), (text) => void parseChallenges(text)));
});

test('how long a registry asks to wait', () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(retryAfter('7', now), 7000);
  assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:05 GMT', now), 5000);
  assert.equal(retryAfter('Thu, 01 Jan 2020 00:00:05 GMT', now), 0);
  for (const nothing of [null, '', '-1', '1.5', 'soon', '99999999999'])
    assert.equal(retryAfter(nothing, now), undefined);
});

test('pauses before a registry is asked again double up to a bound, and chance shortens them by half at most', async () => {
  for (const [chance, meant] of [
    [0, [250, 500, 1000, 2000, 4000]],
    [0.999, [500, 1000, 2000, 4000, 8000]],
  ] as const) {
    const slept: number[] = [];
    const sleep = async (milliseconds: number): Promise<void> => void slept.push(Math.round(milliseconds));
    const tries = triesOf({ now: () => 0, random: () => chance, sleep }, undefined);
    while (await tries.again());
    for (const [at, pause] of meant.entries()) assert.ok(Math.abs((slept[at] ?? 0) - pause) < pause / 100);
    assert.equal(slept.length, TRIES - 1);
  }
});

test('what may pass is done again, a bounded number of times', async () => {
  const clock = testClock();
  let tries = 0;
  const failing = retrying(clock, undefined, async () => {
    tries++;
    throw new TransientError('no', { after: 3000 });
  });
  await assert.rejects(failing, { message: 'no' });
  assert.equal(tries, TRIES);
  assert.ok(clock.waits.length === TRIES - 1 && clock.waits.every((wait) => wait >= 3000));
  const long = retrying(clock, undefined, async () => {
    throw new TransientError('no', { after: 3_600_000 });
  });
  await assert.rejects(long, /retry after 3600 s/);
});

test('text of a server is shown without control characters and secrets, and shortened', () => {
  assert.equal(safeText('a\u001b[31m\nb\u202ec hunter2', ['hunter2', '']), 'a [31m b c ***');
  assert.equal(safeText('x'.repeat(1000), []).length, 301);
  assert.equal(
    bodyText('{"errors":[{"code":"DENIED","message":"n\\u001bo"},{"code":"X"}]}', []),
    'DENIED: n o; X',
  );
  assert.equal(bodyText('<html>', []), '');
});

test('loopback addresses', () => {
  for (const host of ['localhost', 'localhost:5000', '127.0.0.1:1', '127.9.9.9', '[::1]:5000', 'a.localhost'])
    assert.ok(isLoopback(host), host);
  for (const host of ['127.0.0.1.example.org', 'localhost.example.org', '10.0.0.1', '[::2]:1', '128.0.0.1'])
    assert.ok(!isLoopback(host), host);
});
