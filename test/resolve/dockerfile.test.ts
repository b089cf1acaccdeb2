import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { dockerfileBases } from '../../src/resolve/dockerfile.ts';

test('what a Dockerfile begins with, and what its last stage stands on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-from-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const cases: readonly (readonly [text: string, last: string | undefined, ...images: string[]])[] = [
    ['FROM a\n', 'a', 'a'],
    ['# FROM no\nfrom  --platform=linux/amd64 a:1 as x\n', 'a:1', 'a:1'],
    ['FROM a AS x\nFROM b\nCOPY --from=x /a /a\n', 'b', 'a', 'b'],
    ['FROM a AS x\nFROM b AS y\nFROM X\n', 'a', 'a', 'b'],
    ['FROM scratch\n', undefined],
    ['FROM scratch AS x\nFROM a\nFROM x\n', undefined, 'a'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a Dockerfile's own
    ['ARG V=1\nARG B=a:$V\nFROM ${B}\nARG B=no\n', 'a:1', 'a:1'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a Dockerfile's own
    ['ARG B\nFROM ${B:-a}\n', 'a', 'a'],
    ['ARG B\nFROM $B\n', undefined],
  ];
  for (const [text, last, ...images] of cases) {
    const file = join(folder, 'Dockerfile');
    writeFileSync(file, text);
    assert.deepEqual(await dockerfileBases(file), { images, ...(last === undefined ? {} : { last }) }, text);
  }
});
