import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { luetFormat } from '../../src/artifact/index.ts';
import { type Engine, EngineError, overriding, type WorkspaceOptions } from '../../src/engine/index.ts';
import type { BuildEvent } from '../../src/events/index.ts';
import { type BuildResult, build } from '../../src/execute/index.ts';
import { planBuild } from '../../src/plan/index.ts';
import { loadTrees } from '../../src/tree/index.ts';
import { onBase, writeTree } from '../support/site.ts';
import { notHere, smallEngines } from '../support/small-base.ts';

/** An engine whose first commit fails as if it died, `before` the image is made or `after` it. */
function dying(engine: Engine, when: 'before' | 'after'): Engine {
  let isDead = false;
  return overriding(engine, {
    open: async (options: WorkspaceOptions) => {
      const workspace = await engine.open(options);
      const commit: typeof workspace.commit = async (...given) => {
        const dies = !isDead;
        isDead = true;
        if (dies && when === 'before') throw new EngineError('it died', { kind: 'gone' });
        await workspace.commit(...given);
        if (dies) throw new EngineError('it died', { kind: 'gone' });
      };
      return overriding(workspace, { commit });
    },
  });
}

test('an engine that dies during a commit costs a package another run, and nothing else', {
  skip: notHere,
}, async (t) => {
  const { engine, end } = await smallEngines();
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-died-'));
  t.after(() => {
    end();
    rmSync(folder, { recursive: true, force: true });
  });
  writeTree(join(folder, 'tree'), {
    seed: { build: onBase('echo 1 >/one') },
    top: { build: { requires: [{ name: 'seed', category: 't', version: '>=0' }], steps: ['cp /one /two'] } },
  });
  const tree = await loadTrees([join(folder, 'tree')], { cwd: folder });
  const carryOut = async (name: string, on: Engine): Promise<{ result: BuildResult; events: string[] }> => {
    const events: BuildEvent[] = [];
    for (const one of ['out', 'temporary']) mkdirSync(join(folder, name, one), { recursive: true });
    const result = await build(planBuild(tree, tree.packages), {
      engine: on,
      find: (key) => tree.byKey(key),
      format: luetFormat('none'),
      destination: join(folder, name, 'out'),
      imageRepository: `t/${name}`,
      keepImages: true,
      concurrency: 1,
      keepGoing: false,
      rebuild: false,
      noDependencies: false,
      logs: join(folder, name, 'logs'),
      temporary: join(folder, name, 'temporary'),
      runId: name,
      onEvent: (event) => events.push(event),
      signal: new AbortController().signal,
      clock: () => performance.now(),
    });
    const told = events.flatMap((one) =>
      one.type === 'retrying'
        ? [`${one.package} ${one.fault} ${one.attempt}`]
        : one.type === 'failed'
          ? ['failed']
          : [],
    );
    return { result, events: told };
  };
  const bytes = (name: string): string[] =>
    readdirSync(join(folder, name, 'out'))
      .sort()
      .map((one) => `${one}: ${readFileSync(join(folder, name, 'out', one), 'latin1')}`);
  const plain = await carryOut('plain', engine());
  assert.deepEqual([plain.result.failed, plain.events], [[], []]);
  for (const when of ['before', 'after'] as const) {
    const { result, events } = await carryOut(when, dying(engine(), when));
    assert.deepEqual(result.failed, []);
    assert.deepEqual(events, ['t/seed-1 gone 2']);
    assert.deepEqual(bytes(when), bytes('plain'));
    assert.equal((await engine().list(`t/${when}`)).size, 2);
  }
});
