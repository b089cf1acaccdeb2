import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findEngine } from '../../src/engine/index.ts';
import { engineSettings } from '../../src/library/index.ts';
import { BASE, ENGINE, testEngine } from '../support/engine.ts';

const repository = `luet-ts-test/died-${process.pid}`;
const temporary = mkdtempSync(join(tmpdir(), 'luet-ts-died-'));

test('a temporary image of a run that died is taken away by another', async (t) => {
  const engine = await testEngine(undefined, temporary);
  t.after(() => engine.close());
  const dead = `dead-${process.pid}`;
  const options = {
    settings: engineSettings(process.env, '/nonexistent'),
    engine: ENGINE,
    token: () => 'x',
    temporary,
    now: () => new Date(),
  };
  const name = `${repository}:tmp-${dead}-0123456789abcdef`;
  // A run is over when its process is: on the native engine it holds a lock for as long as it lives.
  const dying = join(import.meta.dirname, '../support/dying-run.ts');
  const { signal } = spawnSync(process.execPath, [dying, ENGINE ?? '', dead, temporary, BASE, name], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  assert.equal(signal, 'SIGKILL');
  assert.ok((await engine.resolve(name, { pull: false })) !== undefined);
  const { engine: next } = await findEngine({
    ...options,
    runId: `next-${process.pid}`,
    isOver: (run) => run === dead,
  });
  await next.sweep(repository);
  assert.equal(await engine.resolve(name, { pull: false }), undefined);
  await next.close();
});
