import assert from 'node:assert/strict';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { cli } from '../support/cli.ts';
import { damaged, randomOf } from '../support/damage.ts';

const sample = join(import.meta.dirname, '../../tree');

/** Damages that are tried with each seed; 5000 take about half an hour. */
const COUNT = Number(process.env.LUET_TS_TEST_DAMAGES || 10);
/** One that is the same in every run, so that what broke once stays found, and one that is not. */
const SEEDS = process.env.LUET_TS_TEST_SEED
  ? [Number(process.env.LUET_TS_TEST_SEED)]
  : [1, Date.now() % 1_000_000];

/** No command on a small tree takes longer, in milliseconds. */
const LONGEST = 60_000;

/** How many packages a damaged file still defines, by a reader that is not ours; undefined where it cannot be read so. */
function defined(file: string, text: string): number | undefined {
  if (!/(?:definition|collection)\.yaml$/.test(file)) return undefined;
  try {
    const document: unknown = parse(text, { merge: true, uniqueKeys: false, logLevel: 'silent' });
    if (file.endsWith('definition.yaml')) return 1;
    const { packages } = document as { packages?: unknown };
    return Array.isArray(packages) ? packages.length : undefined;
  } catch {
    return undefined;
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

const title = 'a small damage anywhere in a tree never takes a package away without a word';
for (const SEED of SEEDS)
  test(`${title} (${COUNT} damages, LUET_TS_TEST_SEED=${SEED})`, async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), 'luet-ts-damage-'));
    t.after(() => rmSync(cwd, { recursive: true, force: true }));
    cpSync(sample, join(cwd, 'tree'), { recursive: true });
    const files = globSync('**/*.yaml', { cwd: sample }).sort();
    const run = async (...words: string[]) => {
      const signal = AbortSignal.timeout(LONGEST);
      const answer = await cli([...words, '--tree', 'tree'], { cwd, signal });
      return { ...answer, words: words.join(' '), names: lines(answer.stdout) };
    };
    const commands = [
      ['build', '--all', '--pretend'],
      ['tree', 'pkglist', '-v'],
      ['tree', 'validate'],
    ] as const;
    const whole = await Promise.all(commands.map((words) => run(...words)));
    assert.ok(whole.every(({ code }) => code === 0));
    const ofTree = whole[1]?.names.length ?? 0;
    const random = randomOf(SEED);
    for (let at = 0; at < COUNT; at++) {
      const file = files[random(files.length)] ?? '';
      const before = readFileSync(join(sample, file));
      let after = damaged(before, random);
      if (random(4) === 0) after = damaged(after, random);
      writeFileSync(join(cwd, 'tree', file), after);
      const answers = await Promise.all(commands.map((words) => run(...words)));
      writeFileSync(join(cwd, 'tree', file), before);
      const text = after.toString();
      // A collection that was cut between two of its packages has fewer, and nobody could know.
      const had = defined(file, before.toString()) ?? 0;
      const fewer = had - (defined(file, text) ?? had);
      const what = `LUET_TS_TEST_SEED=${SEED}, damage ${at} of ${file}:\n${text}`;
      for (const [i, answer] of answers.entries()) {
        const { code, stderr, words, names } = answer;
        const about = `${words}: ${code}\n${stderr}\n${what}`;
        assert.ok(code === 0 || code === 1, about);
        assert.doesNotMatch(stderr, /This is a bug/, about);
        // Validation says how many packages it has looked at.
        const count = i === 2 ? Number(/^(\d+) packages?: /m.exec(answer.stdout)?.[1]) : names.length;
        const missing = (i === 2 ? ofTree : (whole[i]?.names.length ?? 0)) - count;
        if (code === 0) assert.ok(missing <= Math.max(0, fewer), `${missing} packages are missing: ${about}`);
        else assert.match(i === 2 ? answer.stdout : stderr, /error\[/, about);
      }
      const [build, , validate] = answers;
      if (build?.code === 1) {
        assert.equal(build.stdout, '', what);
        assert.equal(validate?.code, 1, `validate finds nothing: ${build.stderr}\n${what}`);
      }
    }
  });
