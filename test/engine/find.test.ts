import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { findAmong, findEngine } from '../../src/engine/find.ts';
import { type EngineStrategy, type FindEngineOptions, NoEngineError } from '../../src/engine/strategy.ts';
import { engineSettings } from '../../src/library/index.ts';
import { smallEngine } from '../support/small-engine.ts';

const options = (engine?: string): FindEngineOptions => ({
  settings: engineSettings({}, '/nonexistent'),
  engine,
  runId: 'x',
  token: () => 'x',
  temporary: tmpdir(),
  now: () => new Date(0),
});
const engine = smallEngine(tmpdir(), new Map());

/** A strategy with one place, where an engine answers or does not; or one that does not apply, and why. */
function strategy(
  kind: EngineStrategy['kind'],
  name: string,
  { answers = false, isBinding = false, why = '' } = {},
): EngineStrategy {
  const attempts = [{ strategy: name, used: answers, reason: answers ? '' : 'nobody there' }];
  const opened = { engine: answers ? engine : undefined, attempts };
  return { kind, name, places: () => (why === '' ? [{ isBinding, open: async () => opened }] : why) };
}

/** What was tried, and what came of it. */
async function tried(strategies: readonly EngineStrategy[], asked?: string): Promise<string[]> {
  const { attempts } = await findAmong(strategies, options(asked)).catch((error: unknown) => {
    if (error instanceof NoEngineError) return error;
    throw error;
  });
  return attempts.map(({ strategy, used, reason }) => `${strategy}: ${used ? 'used' : reason}`);
}

test('strategies are tried in their order until an engine answers, and each says why it found none', async () => {
  const all = [
    strategy('address', 'given', { answers: true }),
    strategy('docker', 'variable', { why: 'not set' }),
    strategy('docker', 'socket'),
    strategy('native', 'machine', { answers: true }),
    strategy('podman', 'own', { answers: true }),
  ];
  assert.deepEqual(await tried(all), ['variable: not set', 'socket: nobody there', 'machine: used']);
  assert.deepEqual(await tried(all, 'auto'), await tried(all));
});

test('only strategies of the kind that is asked for are tried', async () => {
  const all = (['address', 'docker', 'podman', 'native'] as const).map((kind) => strategy(kind, kind));
  assert.deepEqual(await tried(all), [
    'docker: nobody there',
    'podman: nobody there',
    'native: nobody there',
  ]);
  for (const kind of ['docker', 'podman'] as const)
    assert.deepEqual(await tried(all, kind), [`${kind}: nobody there`]);
  for (const asked of ['native', 'native:/x', 'native+bare', 'native+copy:/x'])
    assert.deepEqual(await tried(all, asked), ['native: nobody there'], asked);
  for (const asked of ['tcp://x', '/x.sock', 'native+what', 'x'])
    assert.deepEqual(await tried(all, asked), ['address: nobody there'], asked);
});

test('no engine is used instead of one that the user named', async () => {
  const all = [
    strategy('docker', 'named', { isBinding: true }),
    strategy('podman', 'other', { answers: true }),
  ];
  assert.deepEqual(await tried(all), ['named: nobody there']);
});

test('what is wrong with an address is said', async () => {
  for (const [address, why] of [
    ['ftp://x', /engines are reached by unix, tcp or ssh/],
    ['/nonexistent/engine.sock', /nonexistent/],
  ] as const)
    await assert.rejects(findEngine(options(address)), (error: unknown) => {
      assert.ok(error instanceof NoEngineError);
      assert.deepEqual(
        error.attempts.map(({ strategy, used }) => [strategy, used]),
        [['the address given', false]],
      );
      assert.match(error.message, why);
      return true;
    });
});
