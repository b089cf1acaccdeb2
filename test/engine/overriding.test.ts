import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overriding } from '../../src/engine/overriding.ts';

class Target {
  readonly name = 'target';
  #count = 0;
  readonly calls: unknown[][] = [];

  get count(): number {
    return this.#count;
  }

  add(...given: unknown[]): number {
    this.calls.push(given);
    return ++this.#count;
  }

  close(): string {
    return `closed at ${this.#count}`;
  }

  optional?(): string;
}
Target.prototype.optional = () => 'there';

test('an object with a member replaced has all others, private state and optional ones included', () => {
  const target = new Target();
  const other = overriding(target, { close: () => `mine, then ${target.close()}` });
  assert.equal(other.add(1, undefined, 3), 1);
  assert.deepEqual(target.calls, [[1, undefined, 3]]);
  assert.deepEqual([other.name, other.count, other.optional?.()], ['target', 1, 'there']);
  assert.equal(other.close(), 'mine, then closed at 1');
  assert.equal(target.close(), 'closed at 1');
  assert.ok('optional' in other && !('none' in other));
});

test('a member can be taken away, and the result can be wrapped again', () => {
  const without = overriding(new Target(), { optional: undefined });
  assert.equal(without.optional, undefined);
  const again = overriding(without, { add: () => 7 });
  assert.deepEqual([again.add(), again.optional, again.close()], [7, undefined, 'closed at 0']);
});
