import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Slots } from '../../src/async/slots.ts';

test('never more at once than there are slots, and all of it, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.record({ turns: fc.integer({ min: 1, max: 4 }), fails: fc.boolean() }), { maxLength: 12 }),
      async (count, jobs) => {
        const slots = new Slots(count);
        const begun: number[] = [];
        let now = 0;
        let most = 0;
        const results = await Promise.allSettled(
          jobs.map(({ turns, fails }, at) =>
            slots.run(async () => {
              begun.push(at);
              most = Math.max(most, ++now);
              for (let turn = 0; turn < turns; turn++) await Promise.resolve();
              now--;
              if (fails) throw new Error(String(at));
              return at;
            }),
          ),
        );
        assert.ok(most <= count);
        assert.equal(most, Math.min(count, jobs.length));
        assert.deepEqual(begun, [...jobs.keys()]);
        assert.deepEqual(
          results.map(({ status }) => status === 'rejected'),
          jobs.map(({ fails }) => fails),
        );
      },
    ),
  );
});

test('behind closed doors what runs goes on, and nothing begins', async () => {
  const slots = new Slots(1);
  const gate = Promise.withResolvers<string>();
  const first = slots.run(() => gate.promise);
  const second = slots.run(async () => 'second');
  const reason = new Error('enough');
  slots.close(reason);
  slots.close(new Error('again'));
  gate.resolve('first');
  assert.equal(await first, 'first');
  await assert.rejects(second, reason);
  await assert.rejects(
    slots.run(async () => 'third'),
    reason,
  );
});

test('who closes the doors in a slot is before those that wait', async () => {
  const slots = new Slots(1);
  const failing = slots.run(async () => {
    slots.close(new Error('closed'));
    throw new Error('failed');
  });
  const waiting = slots.run(async () => 'ran');
  await assert.rejects(failing, /failed/);
  await assert.rejects(waiting, /closed/);
});

test('who has the longest way to go is let in first, and a bounded number prepare themselves', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 3 }),
      fc.array(fc.record({ priority: fc.integer({ min: 0, max: 5 }), after: fc.nat(3) }), { maxLength: 14 }),
      async (count, ahead, jobs) => {
        const slots = new Slots(count, ahead);
        const waiting = new Map<number, number>();
        const prepared = new Set<number>();
        const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
        const runs = [];
        for (const [at, { priority, after }] of jobs.entries()) {
          for (let n = 0; n < after; n++) await turn();
          waiting.set(at, priority);
          const prepare = (): void => {
            assert.ok(waiting.has(at) && !prepared.has(at));
            prepared.add(at);
          };
          const work = async (): Promise<void> => {
            waiting.delete(at);
            for (const [other, its] of waiting)
              assert.ok(its < priority || (its === priority && other > at), `${at} before ${other}`);
            await turn();
            assert.ok([...prepared].filter((one) => waiting.has(one)).length <= ahead);
            await turn();
          };
          runs.push(slots.run(work, { priority, prepare }));
        }
        await Promise.all(runs);
        if (ahead > 0 && jobs.every(({ after }) => after === 0))
          assert.ok(prepared.size >= Math.min(ahead, jobs.length - count));
      },
    ),
  );
});

test('nobody prepares for what is refused', async () => {
  const slots = new Slots(1, 1);
  const gate = Promise.withResolvers<void>();
  const prepared: string[] = [];
  const first = slots.run(() => gate.promise);
  const others = ['a', 'b'].map((name) =>
    slots.run(async () => {}, { prepare: () => void prepared.push(name) }),
  );
  slots.close(new Error('enough'));
  gate.resolve();
  await first;
  for (const other of others) await assert.rejects(other, /enough/);
  assert.deepEqual(prepared, ['a']);
});
