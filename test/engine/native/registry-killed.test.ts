import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readAll } from '../../image/registry/support.ts';
import { FaultyProxy, type Seen } from '../../support/faulty-proxy.ts';
import { testRegistry } from '../../support/machine.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { SeparateMachine } from '../../support/separate-machine.ts';
import { needs, onBase, type PackageFiles } from '../../support/site.ts';
import { without } from '../../support/tool.ts';

/* The command killed in the middle of pushing and of fetching: at the registry's n-th request, whichever that is. */

const noise = 'head -c 300000 /dev/zero | sha256sum';
const packages: Record<string, PackageFiles> = {
  seed: { build: onBase(`mkdir /s; ${noise} >/s/one`) },
  top: { build: { ...needs('seed'), steps: ['cat /s/one /s/one >/s/two'] } },
  side: { build: { ...needs('seed'), steps: ['echo 3 >/s/three'] } },
};
const names = Object.keys(packages);

/** Which request is the last one: among layers, and among the last manifests; and while images are fetched. */
const pushing = [8, 20];
const fetching = [5, 10];

describe('killed while it works with a registry', { skip: without('docker-registry') }, () => {
  let registry: TestRegistry;
  let proxy: FaultyProxy;
  let host: string;
  let expected: Record<string, string>;
  const machines: SeparateMachine[] = [];
  const machine = async (): Promise<SeparateMachine> => {
    const one = new SeparateMachine(packages);
    machines.push(one);
    await one.loadBase();
    return one;
  };

  before(async () => {
    registry = await startRegistry();
    proxy = new FaultyProxy(registry.host);
    host = await proxy.start();
    const undisturbed = await machine();
    const answer = await undisturbed.build(['--all']);
    assert.equal(answer.code, 0, answer.stderr);
    expected = undisturbed.written();
    assert.equal(Object.keys(expected).length, 2 * names.length);
  });
  after(async () => {
    await proxy.stop();
    await registry.stop();
    for (const one of machines) one.remove();
  });

  /** Builds, and kills that when a request comes that counts. Answers whether it was killed. */
  async function killedAt(
    builder: SeparateMachine,
    words: readonly string[],
    count: number,
    counts: (seen: Seen) => boolean,
  ): Promise<boolean> {
    const { child, ended } = builder.spawn(words);
    let open = count;
    proxy.fault = (seen) => {
      if (counts(seen) && --open === 0) child.kill('SIGKILL');
      return undefined;
    };
    const { code, output } = await ended;
    proxy.fault = () => undefined;
    if (code !== null) assert.equal(code, 0, output);
    return code === null;
  }

  /** Every image under a key's tag is whole. Answers how many there are. */
  async function checkRepository(repository: string): Promise<number> {
    const tools = testRegistry();
    const tags: string[] = [];
    try {
      for await (const page of tools.tagPages(repository)) tags.push(...page);
    } catch (error) {
      // Nothing was pushed.
      if ((error as { status?: number }).status !== 404) throw error;
    }
    const keys = tags.filter((tag) => /^[0-9a-f]{64}$/.test(tag));
    for (const tag of keys) await readAll(await tools.image(`${repository}:${tag}`));
    for (const tag of tags.filter((one) => !keys.includes(one)))
      assert.ok(await tools.resolve(`${repository}:${tag}`), `${tag} leads nowhere`);
    return keys.length;
  }

  test('pushing', async (t) => {
    const writes = ({ method }: Seen): boolean => method !== 'GET' && method !== 'HEAD';
    for (const point of pushing) {
      const repository = `${host}/pushing-${point}`;
      const flags = ['--all', '--push', '--pull', '--image-repository', repository];
      const builder = await machine();
      const killed = await killedAt(builder, flags, point, writes);
      const there = await checkRepository(repository);
      const again = await builder.build(flags);
      assert.equal(again.code, 0, again.stderr);
      assert.deepEqual(builder.written(), expected);
      assert.deepEqual(builder.leftovers(), []);
      assert.equal(await checkRepository(repository), names.length);
      t.diagnostic(`${point}: ${killed ? 'killed' : 'ended'}, ${there} images`);
      const other = await machine();
      const pulled = await other.build(flags);
      assert.equal(pulled.code, 0, pulled.stderr);
      assert.match(pulled.stderr, /3 cut in /);
      assert.deepEqual(other.written(), expected);
      assert.deepEqual(other.leftovers(), []);
      assert.equal((await other.images(repository)).length, names.length);
    }
  });

  test('fetching', async (t) => {
    const repository = `${host}/fetching`;
    const flags = ['--all', '--pull', '--image-repository', repository];
    const filled = await (await machine()).build([...flags, '--push']);
    assert.equal(filled.code, 0, filled.stderr);
    const builder = await machine();
    for (const point of fetching) {
      const killed = await killedAt(builder, flags, point, () => true);
      t.diagnostic(
        `${point}: ${killed ? 'killed' : 'ended'}, ${(await builder.images(repository)).length} images`,
      );
    }
    const last = await builder.build(flags);
    assert.equal(last.code, 0, last.stderr);
    assert.doesNotMatch(last.stderr, /steps 1\/1/);
    assert.deepEqual(builder.written(), expected);
    assert.deepEqual(builder.leftovers(), []);
  });
});
