import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Slots } from '../../src/build/slots.ts';

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
