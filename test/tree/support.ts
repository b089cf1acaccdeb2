import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Diagnostic } from '../../src/diagnostic/index.ts';
import { type LoadOptions, loadTrees, type Tree } from '../../src/tree/index.ts';

/** A folder with these files, gone when the test ends. */
export function folder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'luet-ts-tree-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Reads a folder of these files as one tree. */
export async function treeOf(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<LoadOptions> = {},
): Promise<Tree> {
  return loadTrees(['.'], { cwd: folder(t, files), ...options });
}

/** Findings as `code file:line:column`. */
export function brief(problems: readonly Diagnostic[]): string[] {
  return problems.map(({ code, place }) => {
    const line = place?.line === undefined ? '' : `:${place.line}:${place.column}`;
    return `${code} ${place?.file ?? '-'}${line}`;
  });
}

/** The text of a definition. */
export function definition(key: string, more = ''): string {
  const parts = /^(?:([^/]+)\/)?(.+)-([^-]+)$/.exec(key);
  if (parts === null) throw new Error(`not category/name-version: ${key}`);
  const [, category, name, version] = parts;
  return `name: "${name}"\n${category === undefined ? '' : `category: "${category}"\n`}version: "${version}"\n${more}`;
}

/** A list of package forms under a key, from `category/name SELECTOR` each. */
export function forms(key: string, ...refs: readonly string[]): string {
  const rows = refs.map((ref) => {
    const [full = '', selector = '>=0'] = ref.split(' ');
    const [category, name] = full.split('/');
    return `- {name: "${name}", category: "${category}", version: "${selector}"}\n`;
  });
  return `${key}:\n${rows.join('')}`;
}
