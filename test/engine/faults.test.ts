import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import test, { after, before, describe } from 'node:test';
import type { Connection } from '../../src/engine/docker/connection/connection.ts';
import { type Engine, EngineError, type EngineFault, type Workspace } from '../../src/engine/index.ts';
import { BASE, ENGINE, environment, isNative, testEngine } from '../support/engine.ts';
import { limitMemory } from '../support/limit.ts';
import { rawEngine } from '../support/site.ts';

/** A command that takes more and more memory until it is stopped. */
const HUNGRY = 'x=aaaaaaaa; while :; do x=$x$x; done';

const silent = (): void => {};

/** The kind of the engine's failure that a promise rejects with. */
async function kindOf(work: Promise<unknown>): Promise<EngineFault> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof EngineError, String(error));
    return error.kind;
  }
  return assert.fail('it went well');
}

describe('how an engine failed', { skip: isNative && 'native has no containers to harm' }, () => {
  let engine: Engine;
  let api: Connection;
  before(async () => {
    engine = await testEngine();
    api = await rawEngine();
  });
  after(async () => {
    await engine.close();
    api.close();
  });

  /** A workspace, and the id of its container, which is the one whose commands find a certain variable. */
  async function opened(): Promise<{ workspace: Workspace; id: string }> {
    const mark = randomBytes(8).toString('hex');
    const workspace = await engine.open({
      image: BASE,
      environment: new Map([...environment, ['MARK', mark]]),
      folder: '/luetbuild',
      network: 'none',
    });
    const filters = JSON.stringify({ label: ['luet-ts.run'] });
    const all = await api.json<{ Id: string }[]>('GET', '/containers/json', { query: { filters } });
    for (const { Id } of all) {
      const { Config } = await api.json<{ Config: { Env: string[] } }>('GET', `/containers/${Id}/json`);
      if (Config.Env.includes(`MARK=${mark}`)) return { workspace, id: Id };
    }
    return assert.fail('its container is not there');
  }

  test('a command that fails is a command that fails', async () => {
    const { workspace } = await opened();
    assert.equal(await workspace.run('exit 137', silent), 137);
    assert.equal(await workspace.run('kill -9 $$', silent), 137);
    const says = await workspace.run('echo No space left on device; exit 3', silent);
    assert.equal(says, 3, 'words alone are no full disk');
    await workspace.close();
  });

  test('a command that is killed because memory ran out, and one after it that fails', async (t) => {
    const { workspace, id } = await opened();
    try {
      await limitMemory(api, id, 32 << 20);
    } catch (error) {
      await workspace.close();
      return t.skip(`this engine sets no limits: ${(error as Error).message}`);
    }
    assert.equal(await kindOf(workspace.run(HUNGRY, silent)), 'out-of-memory');
    assert.equal(await workspace.run('exit 3', silent), 3, 'told again of what was told already');
    // One that lives with it is none.
    assert.equal(await workspace.run(`sh -c '${HUNGRY}' || true`, silent), 0);
    await workspace.close();
  });

  for (const [how, end] of [
    ['by a request', (id: string) => api.json('POST', `/containers/${id}/kill`)],
    ['and removed', (id: string) => api.json('DELETE', `/containers/${id}`, { query: { force: '1' } })],
    [
      'by a signal from outside of the engine',
      async (id: string) => {
        const { State } = await api.json<{ State: { Pid: number } }>('GET', `/containers/${id}/json`);
        execFileSync('kill', ['-9', String(State.Pid)], { stdio: 'pipe' });
      },
    ],
  ] as const) {
    test(`a container that is killed ${how}`, async (t) => {
      const { workspace, id } = await opened();
      const begun = Promise.withResolvers<void>();
      const running = workspace.run('echo begun; sleep 1000', () => begun.resolve());
      running.catch(() => {});
      await begun.promise;
      try {
        await end(id);
      } catch (error) {
        await workspace.close();
        return t.skip(`that cannot be done here: ${(error as Error).message}`);
      }
      assert.equal(await kindOf(running), 'killed');
      assert.equal(await kindOf(workspace.run('true', silent)), 'killed');
      await workspace.close();
    });
  }

  test('a container that is killed between commands', async () => {
    const { workspace, id } = await opened();
    await workspace.mark();
    assert.equal(await workspace.run('echo a >/a', silent), 0);
    await api.json('DELETE', `/containers/${id}`, { query: { force: '1' } });
    assert.equal(
      await kindOf(workspace.changes().then(() => workspace.commit('luet-ts-test/no:1', {}))),
      'killed',
    );
    await workspace.close();
  });

  test('an image that is not there', async () => {
    const image = `luet-ts-test/none:${randomBytes(4).toString('hex')}`;
    for (const work of [
      () => engine.open({ image, environment, folder: '/luetbuild', network: 'none' }),
      () => engine.openForReading(image),
    ]) {
      await assert.rejects(work, (error: unknown) => {
        assert.ok(error instanceof EngineError);
        assert.deepEqual([error.kind, error.image], ['image-missing', image]);
        return true;
      });
    }
  });

  test('an engine that is not there', { skip: ENGINE === undefined }, async () => {
    const address = 'unix:///nonexistent/docker.sock';
    const { connect } = await import('../../src/engine/docker/connection/connection.ts');
    const { parseEndpoint } = await import('../../src/engine/docker/connection/endpoint.ts');
    const endpoint = parseEndpoint(address, undefined);
    assert.ok(typeof endpoint !== 'string');
    const nowhere = await connect(endpoint);
    assert.equal(await kindOf(nowhere.json('GET', '/version')), 'gone');
    nowhere.close();
  });
});
