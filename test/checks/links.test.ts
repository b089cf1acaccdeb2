import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import test from 'node:test';

const root = join(import.meta.dirname, '../..');
const pages = globSync('**/*.md', {
  cwd: root,
  exclude: (path) => /(^|\/)(node_modules|dist|out|fixtures|\.git)(\/|$)/.test(path),
});

/** A page without what is code. */
const prose = (text: string): string =>
  text.replace(/^( *)```[\s\S]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, 'code');

/** The fragments by which a page's headings are reached, as GitHub and GitLab make them: the second of a name ends in `-1`. */
function fragments(text: string): ReadonlySet<string> {
  const headings = text.replace(/^( *)```[\s\S]*?^ *```$/gm, '').matchAll(/^#{1,6} (.+)$/gm);
  const counts = new Map<string, number>();
  const found = new Set<string>();
  for (const [, title = ''] of headings) {
    const plain = title.replace(/`|\[|\]\([^)]*\)/g, '').toLowerCase();
    const name = plain.replace(/[^\p{L}\p{N}\- _]/gu, '').replaceAll(' ', '-');
    const before = counts.get(name) ?? 0;
    counts.set(name, before + 1);
    found.add(before === 0 ? name : `${name}-${before}`);
  }
  return found;
}

test('links between documents lead somewhere', () => {
  const broken: string[] = [];
  let count = 0;
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target = ''] of prose(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      count++;
      const [path = '', fragment] = target.split('#', 2);
      const file = path === '' ? join(root, page) : resolve(root, dirname(page), path);
      const isThere = existsSync(file) && !relative(root, file).startsWith('..');
      const leads =
        isThere && (fragment === undefined || fragments(readFileSync(file, 'utf8')).has(fragment));
      if (!leads) broken.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(count > 50, `only ${count} links were found`);
});

test('files of the sources that documents name are there', () => {
  const missing = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const named = text.matchAll(/`((?:src|test|scripts|bench)\/[\w./-]+)`/g);
    return Array.from(named, ([, path = '']) => path)
      .filter((path) => !path.includes('NAME') && !existsSync(join(root, path)))
      .map((path) => `${page}: ${path}`);
  });
  assert.deepEqual(missing, []);
});
