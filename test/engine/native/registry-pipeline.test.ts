import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { luetTs } from '../../support/cli.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { SeparateMachine } from '../../support/separate-machine.ts';
import { needs, onBase, type PackageFiles, written } from '../../support/site.ts';
import { run, without } from '../../support/tool.ts';

const script = join(import.meta.dirname, '../../../examples/pipeline/pipeline.sh');

const packages: Record<string, PackageFiles> = {
  seed: { build: onBase('echo 1 >/one') },
  top: { build: { ...needs('seed'), steps: ['cat /one >/two'] }, definition: { version: '1.0+2' } },
};

describe('a pipeline with a job for each package', { skip: without('docker-registry') }, () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.stop());

  test('builds everything once, and gathers the metadata', async (t) => {
    const repository = `${registry.host}/pipeline`;
    const pipeline = async (): Promise<{ machine: SeparateMachine; said: string }> => {
      const machine = new SeparateMachine(packages);
      t.after(() => machine.remove());
      await machine.loadBase();
      const env = {
        ...{ PATH: process.env.PATH ?? '', LUET: luetTs, TREE: 'tree', REPOSITORY: repository },
        ...{ LUET_ENGINE: 'native', LUET_NETWORK: 'none', ...machine.env },
      };
      const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      const output = await run(['env', '-i', ...words, 'sh', script], { cwd: machine.folder });
      return { machine, said: output.toString() };
    };
    const first = await pipeline();
    assert.doesNotMatch(first.said, /is there/);
    const names = ['seed-t-1.metadata.yaml', 'top-t-1.0+2.metadata.yaml'];
    const gathered = written(join(first.machine.folder, 'build'));
    assert.deepEqual([...gathered.keys()], names);
    for (const name of names) assert.equal(gathered.get(name), first.machine.written()[name]);
    // Another run, with an empty store: the registry has everything.
    const second = await pipeline();
    assert.match(second.said, /seed@1 is there\n(?:.*\n)*.*top@1\.0\+2 is there/);
    assert.deepEqual(written(join(second.machine.folder, 'build')), gathered);
    assert.ok(!readdirSync(second.machine.folder).includes('out'));
  });
});
