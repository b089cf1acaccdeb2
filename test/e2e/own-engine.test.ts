import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { cli } from '../support/cli.ts';
import { type OwnEngine, ownEngine } from '../support/own-engine.ts';
import { filesOf, makeSite, needs, onBase, type PackageFiles, type Site, written } from '../support/site.ts';

/*
 * An engine that is stopped, killed and filled in the middle of builds: one of the tests' own, on a small file system.
 */

/** A step that goes on only when it is let, however fast or slow the machine is. */
class Gate {
  readonly #sleep = ['sleep', String(randomInt(1_000_000, 2_000_000))];
  #timer: NodeJS.Timeout | undefined;

  /** Says `begun`, and stays. */
  get step(): string {
    return `echo begun; ${this.#sleep.join(' ')} || :; echo a >/a`;
  }

  /** Lets steps go on: those that wait, and those that will, until it is closed. */
  open(): void {
    this.#timer = setInterval(() => {
      // Processes of containers are processes of the machine.
      for (const pid of processesThatRun(this.#sleep)) process.kill(pid, 'SIGKILL');
    }, 100);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function processesThatRun(words: readonly string[]): number[] {
  const wanted = `${words.join('\0')}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1') === wanted;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Of three packages one waits at a gate, another needs it, and the third has nothing to do with them. */
function three(t: TestContext): { readonly gate: Gate; readonly packages: Record<string, PackageFiles> } {
  const gate = new Gate();
  t.after(() => gate.close());
  const packages = {
    a: { build: onBase(gate.step) },
    b: { build: { ...needs('a'), steps: ['cat /a >/b'] } },
    c: { build: onBase('echo c >/c') },
  };
  return { gate, packages };
}

/** What a site's builds write on an engine that nothing happens to. */
async function undisturbed(
  t: TestContext,
  engine: OwnEngine,
  packages: Record<string, PackageFiles>,
): Promise<Map<string, string>> {
  const site = makeSite(t, packages);
  const answer = await site.build(['--all', '--engine', engine.url]);
  assert.equal(answer.code, 0, answer.stderr);
  return written(site.out);
}

/** Waits until an engine holds no container of any build; the test's own time is the limit. What it lost it ends by itself. */
async function untilEmpty({ api }: OwnEngine): Promise<void> {
  const query = { all: '1', filters: JSON.stringify({ label: ['luet-ts.run'] }) };
  while ((await api.json<unknown[]>('GET', '/containers/json', { query })).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

/** The durations that a site's runs remember. */
const history = (site: Site): Record<string, number> =>
  (
    JSON.parse(readFileSync(join(site.folder, '.local/state/luet-ts/history.json'), 'utf8')) as {
      milliseconds: Record<string, number>;
    }
  ).milliseconds;

for (const [how, signal] of [
  ['restarts', 'SIGTERM'],
  ['crashes and is started again', 'SIGKILL'],
] as const) {
  test(`an engine that ${how} in the middle of a build`, { timeout: 180_000 }, async (t) => {
    const engine = await ownEngine(t, 200);
    if (typeof engine === 'string') return t.skip(engine);
    const { gate, packages } = three(t);
    gate.open();
    const expected = await undisturbed(t, engine, packages);
    gate.close();
    const site = makeSite(t, packages);
    const run = site.spawn(['--all', '--engine', engine.url]);
    await run.until(/\| begun/);
    await engine.stop(signal);
    await run.until(/engine does not answer/);
    await engine.start();
    gate.open();
    assert.equal(await run.ended, 0, run.output());
    assert.match(run.output(), /^note: the engine does not answer; waiting up to 1 min 0 s for it: /m);
    assert.match(run.output(), /^note: the engine is back after /m);
    assert.match(run.output(), /^t\/[ab]-1: note: started again in 1\.0 s \(2 of 4\): /m);
    assert.match(run.output(), /^3 built in/m);
    assert.deepEqual(written(site.out), expected);
    await untilEmpty(engine);
    // Neither the lost time nor the waiting is remembered.
    assert.deepEqual(Object.keys(history(site)).sort(), ['t/a-1', 't/b-1', 't/c-1']);
  });
}

test('an engine that does not come back', { timeout: 180_000 }, async (t) => {
  const engine = await ownEngine(t, 200);
  if (typeof engine === 'string') return t.skip(engine);
  const { gate, packages } = three(t);
  const site = makeSite(t, packages);
  const run = site.spawn(['--all', '--engine', engine.url, '--engine-wait', '1', '--log-format', 'json']);
  await run.until(/"output","package":"t\/a-1"/);
  // Its image is made while its archive is written: either may end first.
  await run.until(/"ran","package":"t\/c-1"/);
  await run.until(/"written","package":"t\/c-1"/);
  await engine.stop('SIGKILL');
  assert.equal(await run.ended, 1, run.output());
  const events = run
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const of = (type: string): Record<string, unknown>[] => events.filter((event) => event.type === type);
  assert.deepEqual(
    of('engine-gone').map(({ milliseconds }) => milliseconds),
    [1000],
  );
  assert.deepEqual(of('engine-back'), []);
  const [failed, ...more] = of('failed') as {
    package: string;
    fault: string;
    diagnostics: { code: string }[];
  }[];
  assert.deepEqual(more, []);
  assert.deepEqual(
    [failed?.package, failed?.fault, failed?.diagnostics[0]?.code],
    ['t/a-1', 'gone', 'engine-gone'],
  );
  assert.deepEqual(of('ended')[0]?.counts, { built: 1, unfinished: 1, skipped: 1 });
  assert.ok(!('t/a-1' in history(site)), 'what was not finished is remembered');
  await engine.start();
  gate.open();
  const again = await cli(site.words(['--all', '--engine', engine.url]), { cwd: site.folder });
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /2 built, 1 unchanged/);
  await untilEmpty(engine);
});

const big = {
  big: { build: onBase('head -c 100000000 /dev/zero >/big') },
  on: { build: { ...needs('big'), steps: ['echo on >/on'] } },
  c: { build: onBase('echo c >/c') },
};

test("a step that fills the engine's disk", { timeout: 180_000 }, async (t) => {
  const engine = await ownEngine(t, 60);
  if (typeof engine === 'string') return t.skip(engine);
  const site = makeSite(t, big);
  // Without --keep-going, too: it is no fault of a package's.
  const answer = await site.build(['--all', '--engine', engine.url, '--concurrency', '1']);
  assert.equal(answer.code, 1);
  assert.match(
    answer.stderr,
    /error\[no-space\]: t\/big-1: the engine's disk is full: no space is left .* \(exit code 1\), in steps: head -c/,
  );
  assert.match(answer.stderr, /hint: 'docker system df' shows what uses the space/);
  assert.match(answer.stderr, /note: end of its output:\n.*(No space left on device|I\/O error)/);
  assert.match(answer.stderr, /note: free space without this package: [\d.]+ .?B in \S+/);
  assert.match(answer.stderr, /1 built, 1 not finished, 1 not built/);
  assert.match(answer.stderr, /^not finished: t\/big-1 at .*the engine's disk is full/m);
  assert.doesNotMatch(answer.stderr, /started again|step-failed|bug/);
  assert.deepEqual(await filesOf(site.out, 'c'), ['c']);
  engine.resize(600);
  const again = await site.build(['--all', '--engine', engine.url]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /2 built, 1 unchanged/);
});

test("an engine's disk on which not even a container can be made", { timeout: 180_000 }, async (t) => {
  const engine = await ownEngine(t, 60);
  if (typeof engine === 'string') return t.skip(engine);
  const site = makeSite(t, { c: big.c, v: { build: {} } });
  const ballast = join(engine.data, 'ballast');
  const { bavail, bsize } = statfsSync(engine.data);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize));
  const answer = await site.build(['--all', '--engine', engine.url]);
  assert.equal(answer.code, 1);
  assert.match(
    answer.stderr,
    /error\[no-space\]: t\/c-1: the engine's disk is full: .*no space left on device/,
  );
  assert.match(answer.stderr, /1 empty, 1 not finished/);
  assert.doesNotMatch(answer.stderr, /bug/);
  rmSync(ballast);
  const again = await site.build(['--all', '--engine', engine.url]);
  assert.equal(again.code, 0, again.stderr);
  await untilEmpty(engine);
});

test("a disk that is full when a package's image is made", { timeout: 180_000 }, async (t) => {
  const engine = await ownEngine(t, 60);
  if (typeof engine === 'string') return t.skip(engine);
  // The step fits, and its image, which is a copy, does not.
  const site = makeSite(t, { half: { build: onBase('head -c 40000000 /dev/zero >/half') } });
  const answer = await site.build(['--all', '--engine', engine.url]);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /error\[no-space\]: t\/half-1: the engine's disk is full/);
  engine.resize(200);
  const again = await site.build(['--all', '--engine', engine.url]);
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(await filesOf(site.out, 'half'), ['half']);
});
