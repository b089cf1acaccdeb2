import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { type Engine, EngineError, type Workspace, type WorkspaceLimits } from '../../src/engine/index.ts';
import { BASE, environment, testEngine } from '../support/engine.ts';

/** A command that takes more and more memory until it is stopped. */
const HUNGRY = 'x=aaaaaaaa; while :; do x=$x$x; done';

/** Begins ever more processes of its own accord, each of which waits; bounded, so that it ends where nothing bounds it. */
const crowd = (count: number): string => `i=0; while [ $i -lt ${count} ]; do sleep 60 & i=$((i+1)); done`;

const silent = (): void => {};

describe('limits', () => {
  let engine: Engine;
  const problem: Partial<Record<keyof WorkspaceLimits, string>> = {};
  before(async () => {
    engine = await testEngine();
    const { limits } = await engine.report();
    for (const name of ['memory', 'processes'] as const)
      if (!limits[name].possible) problem[name] = limits[name].reason;
  });
  after(() => engine.close());

  async function withWorkspace(
    limits: WorkspaceLimits,
    use: (workspace: Workspace) => Promise<void>,
  ): Promise<void> {
    const options = { image: BASE, environment, folder: '/luetbuild', network: 'none', ...limits };
    const workspace = await engine.open(options);
    try {
      await use(workspace);
    } finally {
      await workspace.close();
    }
  }

  test('a command that takes more memory than it may', { timeout: 60_000 }, async (t) => {
    if (problem.memory !== undefined) return t.skip(problem.memory);
    const memory = 64 << 20;
    await withWorkspace({ memory }, async (workspace) => {
      await assert.rejects(workspace.run(HUNGRY, silent), (error: unknown) => {
        assert.ok(error instanceof EngineError, String(error));
        assert.equal(error.kind, 'out-of-memory');
        assert.equal(error.limit, memory);
        assert.match(error.message, /the limit is 64 MiB/);
        return true;
      });
      assert.equal(await workspace.run('exit 3', silent), 3, 'told again of what was told already');
      // One that lives with it is none.
      assert.equal(await workspace.run(`sh -c '${HUNGRY}' || true`, silent), 0);
      assert.equal(await workspace.run('echo enough >/here; cat /here', silent), 0);
    });
  });

  test('memory that files in the page cache take is no want of it', { timeout: 60_000 }, async (t) => {
    if (problem.memory !== undefined) return t.skip(problem.memory);
    await withWorkspace({ memory: 32 << 20 }, async (workspace) => {
      const code = await workspace.run('head -c 96000000 /dev/zero >/big; cat /big >/dev/null', silent);
      assert.equal(code, 0);
    });
  });

  test('commands that begin more processes than they may', { timeout: 120_000 }, async (t) => {
    if (problem.processes !== undefined) return t.skip(problem.processes);
    await withWorkspace({ processes: 32 }, async (workspace) => {
      let output = '';
      const code = await workspace.run(`${crowd(200)}; echo all`, (_, chunk) => {
        output += Buffer.from(chunk).toString();
      });
      assert.notEqual(code, 0);
      assert.match(output, /fork|resource/i);
      assert.doesNotMatch(output, /all/);
      // What it left does not take places of the next.
      for (let time = 0; time < 3; time++)
        assert.equal(await workspace.run(`${crowd(12)}; echo "$?" >/after`, silent), 0);
      // Its own shell ends while what it began goes on to begin more, and takes its place.
      const stubborn =
        "i=0; while [ $i -lt 50000 ]; do command eval 'sleep 60 &'; i=$((i+1)); done >/dev/null 2>&1 &";
      assert.equal(await workspace.run(`${stubborn} sleep 1; exit 4`, silent), 4);
      assert.equal(await workspace.run(`${crowd(12)}; cat /after`, silent), 0);
    });
  });

  test('without limits', { timeout: 60_000 }, async () => {
    await withWorkspace({}, async (workspace) => {
      assert.equal(await workspace.run(crowd(200), silent), 0);
    });
  });
});
