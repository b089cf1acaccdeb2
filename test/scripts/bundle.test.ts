import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { bundle } from '../../scripts/bundle.ts';

const root = join(import.meta.dirname, '../..');

/** The packages that sources load by a call, in one of two ways. */
function loaded(call: RegExp): string[] {
  const sources = globSync('src/**/*.ts', { cwd: root }).map((file) =>
    readFileSync(join(root, file), 'utf8'),
  );
  const names = sources.flatMap((text) => [...text.matchAll(call)].map(([, name = '']) => name));
  return [...new Set(names)].filter((name) => !name.startsWith('.') && !isBuiltin(name)).sort();
}

test('packages that are loaded at their first use have the same names in the bundle as in Node', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-bundle-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const imported = loaded(/await import\('([^']+)'\)/g);
  const required = loaded(/createRequire\(import\.meta\.url\)\('([^']+)'\)/g);
  assert.ok(imported.includes('yaml') && required.includes('re2js'));
  const native = required.filter((name) => name.startsWith('@napi-rs/'));
  const bundled = required.filter((name) => !native.includes(name));
  writeFileSync(
    join(folder, 'src/main.ts'),
    [
      "import { createRequire } from 'node:module';",
      ...imported.map((name) => `console.log(Object.keys(await import('${name}')).sort().join());`),
      ...bundled.map(
        (name) => `console.log(Object.keys(createRequire(import.meta.url)('${name}')).sort().join());`,
      ),
    ].join('\n'),
  );
  await bundle(folder, join(folder, 'dist'), { main: 'src/main.ts' });
  const run = (file: string): string[] =>
    execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' }).split('\n');
  const fromSources = run('src/main.ts').map((names) =>
    names
      .split(',')
      // Node's own name for all of a CommonJS module.
      .filter((name) => name !== 'module.exports')
      .join(),
  );
  // Without the packages: all is in the bundle.
  rmSync(join(folder, 'node_modules'));
  assert.deepEqual(run('dist/main.js'), fromSources);
  assert.equal(fromSources.length, imported.length + bundled.length + 1);
});
