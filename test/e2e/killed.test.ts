import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { type Insight, insight, untilGone } from '../support/insight.ts';
import { makeSite, needs, onBase, type PackageFiles, runOf, written } from '../support/site.ts';

let api: Insight;
before(async () => {
  api = await insight();
});
after(() => api.close());

/** A seed, ten packages on it, and a chain of nine: twenty. */
function twenty(): Record<string, PackageFiles> {
  const own = (name: string, ...on: string[]): PackageFiles => ({
    build: {
      ...needs(...on),
      prelude: [`echo ${name} > /built`],
      steps: [`cat /built > /${name}; date > /time`],
    },
  });
  const packages: Record<string, PackageFiles> = {
    seed: { build: { ...onBase('echo seed > /seed'), prelude: ['mkdir /opt'] } },
  };
  for (let i = 0; i < 10; i++) packages[`leaf${i}`] = own(`leaf${i}`, 'seed');
  for (let i = 0; i < 9; i++) packages[`link${i}`] = own(`link${i}`, i === 0 ? 'seed' : `link${i - 1}`);
  // Times of day must not come into the packages.
  for (const { build } of Object.values(packages)) Object.assign(build as object, { excludes: ['^/time$'] });
  return packages;
}

/** When to kill: as soon as this has been said this many times. */
const points: readonly (readonly [pattern: string, times: number])[] = [
  ['built on', 1],
  ['prelude 1/1', 1],
  ['built in', 1],
  ['steps 1/1', 1],
  ['image .* after', 1],
  ['built in', 2],
  ['built on', 3],
  ['steps 1/1', 3],
  ['image .* after', 2],
  ['prelude 1/1', 2],
];

test('killed ten times, a build gives what it gives undisturbed', { timeout: 240_000 }, async (t) => {
  const packages = twenty();
  const site = makeSite(t, packages);
  const runs: string[] = [];
  for (const [pattern, times] of points) {
    const run = site.spawn(['--all', '--debug']);
    await run.until(new RegExp(`(${pattern}[^]*){${times}}`));
    runs.push(runOf(site));
    run.child.kill('SIGKILL');
    assert.equal(await run.ended, 'SIGKILL');
  }
  const last = site.spawn(['--all']);
  assert.equal(await last.ended, 0, last.output());
  assert.match(last.output(), /unchanged/, 'nothing of the killed runs was of use');

  const undisturbed = makeSite(t, packages);
  const answer = await undisturbed.build(['--all']);
  assert.equal(answer.code, 0, answer.stderr);
  const expected = written(undisturbed.out);
  assert.equal(expected.size, 40);
  assert.deepEqual([...written(site.out).keys()], [...expected.keys()]);
  for (const [name, bytes] of written(site.out))
    assert.ok(bytes === expected.get(name), `${name} is another`);

  for (const run of runs) {
    await untilGone(api, run);
    assert.deepEqual(await api.leftovers(run), { containers: [], images: [] });
  }
  assert.deepEqual(readdirSync(join(site.temporary, `luet-ts-${process.getuid?.()}`)), []);
  assert.ok(existsSync(site.out));
});
