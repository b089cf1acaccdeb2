/** `npm test [-- FILE…]`: every test, or those named, on an engine that is found or set up. */
import { conformanceBase } from './base-image.ts';
import { loadBase, setUpEngine } from './engine/setup.ts';
import { needsEngine, runTests, testFiles } from './tests.ts';

try {
  const files = process.argv.length > 2 ? process.argv.slice(2) : testFiles();
  const env: Record<string, string> = {};
  if (files.some(needsEngine)) {
    const engine = await setUpEngine();
    await loadBase(engine.url, await conformanceBase());
    env.LUET_TS_TEST_ENGINE = engine.url;
    const stays = ['the image conformance/base:1', ...engine.stays].join('; ');
    process.stdout.write(`Engine: ${engine.description}\nStays there: ${stays}\n\n`);
  }
  process.exit(await runTests(files, env));
} catch (error) {
  process.stderr.write(`npm test: ${(error as Error).message}\n`);
  process.exit(1);
}
