import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { load } from 'js-yaml';

const root = join(import.meta.dirname, '../..');
const read = (file: string): unknown => load(readFileSync(join(root, file), 'utf8'));

/** Where tests must pass: root on Debian 12, with Node 20 and npm. */
const image = 'node:20-bookworm';

test('CI services run what a person runs, and nothing else', () => {
  assert.ok((statSync(join(root, '.ci/run')).mode & 0o111) !== 0);
  const github = read('.github/workflows/ci.yml') as {
    jobs: Record<string, { container: { image: string }; steps: readonly { run?: string; uses?: string }[] }>;
  };
  assert.deepEqual(Object.keys(github.jobs), ['test']);
  assert.equal(github.jobs.test?.container.image, image);
  assert.deepEqual(github.jobs.test?.steps, [{ uses: 'actions/checkout@v4' }, { run: '.ci/run' }]);
  const gitlab = read('.gitlab-ci.yml') as Record<string, { image?: string; script?: readonly string[] }>;
  const jobs = Object.entries(gitlab).filter(([, job]) => job.script !== undefined);
  assert.deepEqual(
    jobs.map(([name, job]) => [name, job.image, job.script]),
    [['test', image, ['.ci/run']]],
  );
});
