/**
 * `npm test [-- FILE… --FLAG=VALUE…]`: every test, or those named; those that ask for an engine on the native one and on each other that
 * answers. Flags are those of Node's test runner, such as `--test-name-pattern=links`.
 * With `CI` in the environment and no other that answers, on a Docker of our own as well, which is installed where it is missing.
 */

import { install } from '../test/support/engines/install.ts';
import { loadBase, setUpEngines } from '../test/support/engines/setup.ts';
import { conformanceBase } from './base-image.ts';
import { needsEngine, needsRegistry, runsOnce, runTests, testFiles } from './tests.ts';

try {
  const words = process.argv.slice(2);
  const flags = words.filter((word) => word.startsWith('-'));
  const named = words.filter((word) => !word.startsWith('-'));
  const files = named.length > 0 ? named : testFiles();
  if (files.some(needsRegistry)) {
    try {
      install('docker-registry', ['docker-registry']);
    } catch (error) {
      process.stdout.write(`Tests on a real registry are skipped: ${(error as Error).message}\n`);
    }
  }
  const asking = files.filter(needsEngine);
  let rest = files.filter((file) => !needsEngine(file));
  const results: string[] = [];
  const run = async (where: string, some: readonly string[], env: Record<string, string>): Promise<void> => {
    const code = await runTests(some, env, flags);
    results.push(`${where}: ${code === 0 ? 'passed' : 'failed'}`);
    if (code !== 0) process.exitCode = 1;
  };
  if (asking.length > 0) {
    const engines = await setUpEngines(Boolean(process.env.CI));
    process.on('exit', () => {
      for (const { release } of engines) release();
    });
    for (const { url, description, stays } of engines) {
      await loadBase(url, await conformanceBase());
      const isNative = url.startsWith('native:');
      const kept = isNative ? stays : ['the image conformance/base:1', ...stays];
      const staying = kept.length === 0 ? '' : `Stays there: ${kept.join('; ')}\n`;
      process.stdout.write(`\nEngine: ${description}\n${staying}\n`);
      const others = engines.flatMap((other) => (other.url === url ? [] : [other.url]));
      const here = asking.filter((file) => url === engines[0]?.url || !runsOnce(file));
      if (rest.length + here.length === 0) continue;
      // What asks for no engine runs once, with the first.
      await run(description, [...rest, ...here], {
        LUET_TS_TEST_ENGINE: url,
        LUET_TS_TEST_OTHER_ENGINES: others.join(),
      });
      rest = [];
    }
  } else await run('tests', rest, {});
  if (results.length > 1) process.stdout.write(`\n${results.join('\n')}\n`);
  process.exit();
} catch (error) {
  process.stderr.write(`npm test: ${(error as Error).message}\n`);
  process.exit(1);
}
