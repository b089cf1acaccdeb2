import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { cli, luetTs } from '../support/cli.ts';
import { writeTree } from '../support/site.ts';

/** More birds than nests, of which each bird needs one for itself: to find that out takes longer than anybody waits. */
function birds(folder: string, count: number): void {
  const any = (name: string) => ({ name, category: 't', version: '>=0' });
  const packages: Parameters<typeof writeTree>[1] = {
    asked: { build: { requires: Array.from({ length: count }, (_, bird) => any(`home-${bird}`)) } },
  };
  const all = Array.from({ length: count }, (_, bird) => bird);
  const places = all.slice(1).flatMap((nest) => all.map((bird) => ({ nest, bird })));
  writeTree(folder, {
    ...packages,
    ...Object.fromEntries(
      places.map(({ nest, bird }) => [
        `b${bird}-n${nest}`,
        {
          definition: { provides: [{ ...any(`home-${bird}`), version: '1' }] },
          build: {
            image: 'x',
            conflicts: all.filter((other) => other !== bird).map((other) => any(`b${other}-n${nest}`)),
          },
        },
      ]),
    ),
  });
}

/** Seconds that a process has calculated; its clock ticks a hundred times in each. */
const calculated = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[11]) / 100;

test('signals end a search that does not end', { timeout: 120_000 }, async (t) => {
  if (process.platform !== 'linux') return t.skip('the time of processes is read from /proc');
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-endless-'));
  t.after(() => rmSync(folder, { recursive: true }));
  birds(join(folder, 'few'), 4);
  const few = await cli(['tree', 'explain', '--tree', join(folder, 'few'), 't/asked']);
  assert.equal(few.code, 1, few.stdout + few.stderr);
  assert.match(few.stdout + few.stderr, /home-3/);
  birds(join(folder, 'many'), 14);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    for (const words of [
      ['tree', 'explain', 't/asked'],
      ['build', 't/asked', '--destination', join(folder, 'out')],
    ]) {
      const child = spawn(luetTs, [...words, '--tree', join(folder, 'many')], { stdio: 'ignore' });
      t.after(() => child.kill('SIGKILL'));
      const ended = once(child, 'exit');
      while (child.exitCode === null && calculated(child.pid ?? 0) < 0.5)
        await new Promise((resolve) => setTimeout(resolve, 50));
      child.kill(signal);
      assert.deepEqual(await ended, [null, signal], words.join(' '));
    }
});
