/**
 * Runs benchmarks: `npm run bench -- NAME [ARGUMENT…]`; without a name, all that need no container engine.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const withoutEngine = ['plan', 'solver', 'template'];
const [name, ...words] = process.argv.slice(2);

function run(one: string, more: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${one}.ts`), ...more], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}

if (name === undefined) for (const one of withoutEngine) run(one, []);
else if (/^[a-z]+$/.test(name) && name !== 'index' && existsSync(join(import.meta.dirname, `${name}.ts`)))
  run(name, words);
else {
  console.error(`There is no benchmark ${name}; bench/README.md lists them.`);
  process.exitCode = 2;
}
