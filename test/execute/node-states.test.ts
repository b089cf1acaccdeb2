import assert from 'node:assert/strict';
import test from 'node:test';
import type { BuildEvent } from '../../src/events/index.ts';
import { NodeStates } from '../../src/execute/node-states.ts';
import type { ResolvedPlan } from '../../src/resolve/index.ts';

const statesOf = (): { states: NodeStates; events: string[] } => {
  const events: string[] = [];
  const nodes = ['c/a-1', 'c/b-1'].map((name) => ({ package: name })) as unknown as ResolvedPlan['nodes'];
  const onEvent = (event: BuildEvent): void => {
    if (event.type === 'state') events.push(`${event.package} ${event.node} ${event.state}`);
  };
  return { states: new NodeStates({ nodes }, onEvent), events };
};

test('each change of a state is an event, once', () => {
  const { states, events } = statesOf();
  for (const state of ['waiting', 'running', 'running', 'committing', 'packing', 'done'] as const)
    states.set(1, state);
  assert.deepEqual(
    events,
    ['running', 'committing', 'packing', 'done'].map((one) => `c/b-1 1 ${one}`),
  );
});

test('a change that cannot happen is a bug', () => {
  const { states } = statesOf();
  assert.throws(() => states.set(0, 'committing'), /cannot change from waiting to committing/);
  states.set(0, 'running');
  assert.throws(() => states.set(0, 'done'), /cannot change from running to done/);
  states.set(0, 'failed');
});

test('what is cut from the image of a node that runs again does not disturb it', () => {
  const { states, events } = statesOf();
  states.packs(0, true);
  states.set(0, 'waiting');
  states.set(0, 'running');
  states.packs(0, true);
  states.packs(0, false);
  states.skip(0);
  assert.equal(states.of(0), 'running');
  states.skip(1);
  assert.deepEqual(events, ['c/a-1 0 packing', 'c/a-1 0 waiting', 'c/a-1 0 running', 'c/b-1 1 done']);
});
