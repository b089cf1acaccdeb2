import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TagLookup } from '../../src/cache/index.ts';
import { Leases } from '../../src/cache/registry/leases.ts';
import { makeImage } from '../image/registry/support.ts';
import { testRegistry } from '../support/machine.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

const isThere = spawnSync('docker-registry', ['--version']).status === 0;

describe('waiting for another machine', {
  skip: isThere ? false : 'docker-registry is not installed',
}, () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.stop());

  const key = (name: string): string => name.padEnd(64, '0');
  const signal = new AbortController().signal;
  /** A machine whose time passes as fast as it sleeps; `onSleep` is what happens meanwhile. */
  function machine(onSleep: () => Promise<void> = async () => {}, timeout = 600_000) {
    const tools = testRegistry();
    const repository = `${registry.host}/leases`;
    let time = 0;
    const waits: (string | undefined)[] = [];
    const leases = new Leases({
      registry: tools,
      lookup: new TagLookup(tools, repository, signal),
      builder: 'one (process 1)',
      clock: {
        now: () => time,
        sleep: async (milliseconds, stop) => {
          time += milliseconds;
          const ended = new Promise((_, reject) =>
            stop?.addEventListener('abort', () => reject(stop.reason)),
          );
          await Promise.race([onSleep(), ended]);
        },
      },
      timeout,
      onWait: (_, builder) => waits.push(builder),
      signal,
    });
    return { leases, tools, repository, waits, time: () => time };
  }
  /** A machine that gives one sign that it builds, and no other. */
  const builder = () => machine(() => new Promise(() => {}));
  const announced = async (of: string): Promise<void> => {
    const { tools, repository } = machine();
    while ((await tools.head(`${repository}:${Leases.tag(of)}`)) === undefined) await sleep(5);
  };

  test('until the image is there', async () => {
    const image = await makeImage([10]);
    const of = key('a');
    builder().leases.begin(of);
    await announced(of);
    let looks = 0;
    const other = machine(async () => {
      if (++looks === 3) await other.tools.write(`${other.repository}:${of}`, image);
    });
    assert.equal(await other.leases.wait(of, true), 'there');
    assert.deepEqual(other.waits, ['one (process 1)']);
  });

  test('no longer than the machine that builds gives signs of life', async () => {
    const of = key('b');
    builder().leases.begin(of);
    await announced(of);
    const other = machine();
    assert.equal(await other.leases.wait(of, true), 'stopped');
    assert.ok(other.time() > 60_000 && other.time() < 120_000, String(other.time()));
  });

  test('no longer than asked for where nobody says that it builds', async () => {
    const other = machine(undefined, 20_000);
    assert.equal(await other.leases.wait(key('c'), true), 'timeout');
    assert.deepEqual([other.waits, other.time()], [[undefined], 20_000]);
    // What is not expected to come is not waited for at all.
    assert.equal(await other.leases.wait(key('c'), false), 'nobody');
  });

  test('not at all where the machine that built it ended without it', async () => {
    const of = key('d');
    const end = machine(() => sleep(1000, undefined, { ref: false })).leases.begin(of);
    await announced(of);
    await end();
    const other = machine();
    assert.equal(await other.leases.wait(of, true), 'stopped');
    assert.equal(other.time(), 0);
  });

  test('signs of life keep others waiting', async () => {
    const of = key('e');
    let wanted = 0;
    let isOver = false;
    const one = machine(async () => {
      while (wanted === 0 && !isOver) await sleep(2);
      wanted--;
    });
    const end = one.leases.begin(of);
    await announced(of);
    const sign = () => other.tools.head(`${other.repository}:${Leases.tag(of)}`);
    const other = machine(async () => {
      const before = await sign();
      wanted++;
      while ((await sign()) === before) await sleep(2);
    }, 200_000);
    assert.equal(await other.leases.wait(of, true), 'timeout');
    await end();
    isOver = true;
  });
});
