import assert from 'node:assert/strict';
import test from 'node:test';
import { cli } from '../support/cli.ts';
import { definition, folder } from '../tree/support.ts';

test('what is wrong in a shared template is one finding, wherever that is used', async (t) => {
  const cwd = folder(t, {
    't/a/definition.yaml': definition('c/a-1'),
    't/a/build.yaml': 'image: x:1\nsteps:\n- {{ template "make" . }}\n',
    't/b/definition.yaml': definition('c/b-1'),
    't/b/build.yaml': 'image: x:1\nsteps:\n- make\n',
    't/templates/s.yaml': '{{ define "make" }}make {{ nofunction . }}{{ end }}\n',
  });
  const all = await cli(['tree', 'validate', 't'], { cwd });
  assert.equal(all.code, 1);
  assert.match(
    all.stdout,
    /^t\/templates\/s\.yaml:1:28: error\[template-syntax\]: c\/a-1: unknown function "nofunction"\n/,
  );
  assert.match(all.stdout, /note: t\/a\/build\.yaml:3:3: the template "make" is used here\n/);
  assert.doesNotMatch(all.stdout, /unknown template/);
  assert.match(all.stdout, /2 packages: 1 error, 0 warnings\n$/);

  const build = await cli(['build', '--pretend', '-t', 't', 'c/a'], { cwd });
  assert.equal(build.code, 1);
  assert.match(build.stderr, /^t\/templates\/s\.yaml:1:28: error\[template-syntax\]/);
  assert.doesNotMatch(build.stderr, /unknown template/);

  const other = await cli(['build', '--pretend', '-t', 't', 'c/b'], { cwd });
  assert.equal(other.code, 0);
  assert.equal(other.stderr, '');
});
