import assert from 'node:assert/strict';
import test from 'node:test';
import { cli } from '../support/cli.ts';
import { definition, folder, forms } from '../tree/support.ts';

test('the newest version of several trees is taken, in whatever order they are named', async (t) => {
  const build = 'image: nowhere/none:1\n';
  const cwd = folder(t, {
    'one/e/definition.yaml': definition('s/entities-0.5.1'),
    'one/e/build.yaml': build,
    'two/e/definition.yaml': definition('s/entities-0.6.0'),
    'two/e/build.yaml': build,
  });
  for (const trees of [
    ['one', 'two'],
    ['two', 'one'],
  ]) {
    const words = trees.flatMap((tree) => ['-t', tree]);
    const { code, stdout } = await cli(['build', '--pretend', ...words, 's/entities', '-o', 'json'], { cwd });
    assert.equal(code, 0);
    const { packages } = JSON.parse(stdout);
    assert.deepEqual(
      packages.map(({ version }: { version: string }) => version),
      ['0.6.0'],
    );
  }
});

test('steps without an image are found before anything starts, with what is built on them', async (t) => {
  const cwd = folder(t, {
    't/yq/definition.yaml': definition('utils/yq-1'),
    't/yq/build.yaml': 'steps: [make]\n',
    't/cos/definition.yaml': definition('system/cos-1'),
    't/cos/build.yaml': `${forms('requires', 'utils/yq')}steps: [make]\n`,
  });
  const all = await cli(['tree', 'validate', 't'], { cwd });
  assert.equal(all.code, 1);
  assert.match(all.stdout, /error\[no-image\]: utils\/yq-1: /);
  assert.match(all.stdout, /error\[no-image\]: system\/cos-1: /);
  assert.match(all.stdout, /2 packages: 2 errors, 0 warnings\n$/);
  const build = await cli(['build', '-t', 't', '--all', '--pretend'], { cwd });
  assert.equal(build.code, 1);
  assert.match(build.stderr, /error\[no-image\]/);
});

test('what env says is read without a build, and each mistake has its place', async (t) => {
  const cwd = folder(t, {
    't/p/definition.yaml': definition('t/p-1'),
    't/p/build.yaml': "image: nowhere/none:1\nenv:\n- O=it's\n- X=${HOME\n- A=b c\nsteps: [make]\n",
  });
  const { code, stdout } = await cli(['tree', 'validate', 't'], { cwd });
  assert.equal(code, 1);
  assert.deepEqual(stdout.match(/^t\/p\/build\.yaml:\d+:\d+: error\[invalid-env\]/gm), [
    't/p/build.yaml:3:3: error[invalid-env]',
    't/p/build.yaml:4:3: error[invalid-env]',
    't/p/build.yaml:5:3: error[invalid-env]',
  ]);
});
