/**
 * `npm run test:engines [-- NAME[=URL]…] [--skip-missing]`: the tests that ask for an engine, on each of Docker 20.10
 * (Debian's), Docker 29 and podman. With a URL, that engine is used; else one of our own is started and stopped.
 */
import { spawnSync } from 'node:child_process';
import { docker29, installedDocker, installedPodman } from '../test/support/engines/daemons.ts';
import { install } from '../test/support/engines/install.ts';
import type { Daemon } from '../test/support/engines/keeper.ts';
import { holdEngine } from '../test/support/engines/own.ts';
import { loadBase } from '../test/support/engines/setup.ts';
import { conformanceBase } from './base-image.ts';
import { root, runsOnce, runTests, testFiles } from './tests.ts';

const engines: Readonly<Record<string, () => Daemon>> = {
  'docker-20.10': () => {
    install('dockerd', ['docker.io', 'iproute2']);
    return installedDocker();
  },
  'docker-29': () => {
    const made = spawnSync(`${root}/test/support/engines/docker-29.sh`, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (made.status !== 0) throw new Error('Its programs cannot be made here.');
    return docker29(made.stdout.trim());
  },
  podman: () => {
    install('podman', ['podman', 'runc']);
    return installedPodman();
  },
};

const words = process.argv.slice(2);
const skipMissing = words.includes('--skip-missing');
const asked = words.filter((word) => word !== '--skip-missing').map((word) => word.split('=', 2));
const wanted = asked.length > 0 ? asked : Object.keys(engines).map((name) => [name]);
const files = testFiles('engine', 'conformance', 'e2e').filter((file) => !runsOnce(file));
const results: string[] = [];
let failed = false;
for (const [name = '', given] of wanted) {
  const daemon = engines[name];
  if (daemon === undefined && given === undefined) {
    process.stderr.write(`test:engines: no engine ${name}; there are ${Object.keys(engines).join(', ')}\n`);
    process.exit(2);
  }
  process.stdout.write(`\n── ${name}\n`);
  let url = given;
  let release = (): void => {};
  try {
    if (url === undefined && daemon !== undefined) ({ url, release } = await holdEngine(daemon()));
  } catch (error) {
    process.stdout.write(`${(error as Error).message}\n`);
    results.push(`${name}: not there${skipMissing ? ', skipped' : ''}`);
    failed ||= !skipMissing;
    continue;
  }
  try {
    await loadBase(url ?? '', await conformanceBase());
    const code = await runTests(files, {
      LUET_TS_TEST_ENGINE: url ?? '',
    });
    results.push(`${name}: ${code === 0 ? 'passed' : 'failed'}`);
    failed ||= code !== 0;
  } finally {
    release();
  }
}
process.stdout.write(`\n${results.join('\n')}\n`);
process.exit(failed ? 1 : 0);
