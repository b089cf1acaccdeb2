import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { load } from 'js-yaml';
import { cli } from '../support/cli.ts';
import { ENGINE, isNative, NATIVE_SOURCE } from '../support/engine.ts';
import { compareListings, listArchive } from '../support/listing.ts';

interface Case {
  readonly title: string;
  readonly targets: readonly string[];
  readonly values?: readonly string[];
  readonly flags?: readonly string[];
  readonly fails?: boolean;
  readonly says?: readonly string[];
}

const folder = join(import.meta.dirname, 'cases');
const sources = isNative ? [NATIVE_SOURCE] : ENGINE?.includes('podman') ? ['upper', 'export'] : ['upper', 'changes', 'export'];

/** Cases about the files that steps leave: what changed is found by each source in another way. The others need one of them. */
const aboutFiles = /^(copy|delta-|env-context|hardlink|luetbuild|opaque|package-dir|prelude|unpack-full)/;

for (const name of readdirSync(folder).sort()) {
  const root = join(folder, name);
  const facts = load(readFileSync(join(root, 'case.yaml'), 'utf8')) as Case;
  for (const source of aboutFiles.test(name) ? sources : sources.slice(0, 1)) {
    test(`${name}: ${facts.title} (changes by ${source})`, async () => {
      const destination = mkdtempSync(join(tmpdir(), 'luet-ts-case-'));
      // A repository of its own, so that nothing is taken from another source's images.
      const repository = `luet-ts-test/${name}-${source}`;
      try {
        const words = ['build', '--tree', 'tree', '--destination', destination, '--image-repository', repository, '--network', 'none', '--keep-images=false', '--rebuild'];
        const values = (facts.values ?? []).flatMap((file) => ['--values', file]);
        const engine = ENGINE === undefined ? [] : ['--engine', ENGINE];
        const answer = await cli([...words, ...values, ...engine, ...(facts.flags ?? []), ...facts.targets], { cwd: root, env: isNative ? {} : { LUET_TS_CHANGES: source } });
        const output = answer.stdout + answer.stderr;
        if (facts.fails) {
          assert.equal(answer.code, 1, output);
          for (const text of facts.says ?? []) assert.ok(output.includes(text), `does not say ${text}:\n${output}`);
          for (const target of facts.targets) {
            const [category, pack] = target.split('/');
            assert.deepEqual(readdirSync(destination).filter((file) => file.startsWith(`${pack}-${category}-`)), []);
          }
          if (name !== 'errors-step') assert.ok(!output.includes('built on'), `a container was started:\n${output}`);
          return;
        }
        assert.equal(answer.code, 0, output);
        for (const expected of readdirSync(join(root, 'expected'))) {
          const archive = join(destination, expected.replace(/\.txt$/, '.package.tar'));
          assert.ok(existsSync(archive), `${expected} has no archive:\n${output}`);
          const lines = readFileSync(join(root, 'expected', expected), 'utf8').split('\n').filter((line) => line !== '');
          const problems = compareListings(lines, await listArchive(archive));
          assert.deepEqual(problems, [], expected);
        }
      } finally {
        rmSync(destination, { recursive: true, force: true });
      }
    });
  }
}
