import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Engine } from '../../src/engine/index.ts';
import { Registry } from '../../src/image/index.ts';
import { makeImage, testClock } from '../image/registry/support.ts';
import { cli } from '../support/cli.ts';
import { ENGINE, isNative, testEngine } from '../support/engine.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { run, without } from '../support/tool.ts';

/*
 * An image in a registry that takes a name and a password, pulled with generated files `config.json`: by Docker's command line on a Docker
 * engine, and by ours on the engine under test. Both get the image, or neither.
 */

/** The Docker engine that pulls for Docker's command line: the one under test, or another that answers. */
const DOCKER = isNative
  ? (process.env.LUET_TS_TEST_OTHER_ENGINES ?? '').split(',').find((url) => /^unix:/.test(url))
  : ENGINE;

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const RIGHT = base64('me:se:cret');
const WRONG = base64('me:wrong');

/** Helpers that know the right password, a wrong one and none, and one that fails. */
const HELPERS: Readonly<Record<string, string>> = {
  right: `echo '{"ServerURL":"x","Username":"me","Secret":"se:cret"}'`,
  wrong: `echo '{"ServerURL":"x","Username":"me","Secret":"wrong"}'`,
  empty: "echo 'credentials not found in native keychain'; exit 1",
  fails: 'echo broken; exit 3',
};

const entry = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom({ auth: RIGHT }, { auth: `${RIGHT}\n` }, { auth: WRONG }) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        auth: fc.constantFrom('', null),
        username: fc.constantFrom('me', ''),
        password: fc.constantFrom('se:cret', 'wrong', ''),
        // Beside a password: engines differ in which of a password and a token they use.
        identitytoken: fc.constant(''),
        registrytoken: fc.constant(''),
      },
      { requiredKeys: ['username', 'password'] },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom({}, null, { identitytoken: 'identity' }) },
);
/** The registry as a key spells it. */
const spelling = fc.constantFrom(
  ...['HOST', 'HOST', 'https://HOST', 'http://HOST/', 'HOST/v1/', 'https://HOST/v2/', 'HOST/harbor'],
  ...['other.example', 'https://index.docker.io/v1/'],
);
const helper = fc.constantFrom('', null, 'lt-right', 'lt-wrong', 'lt-empty', 'lt-fails', 'lt-none');
const hostOf = (key: string): string => key.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
/** Of several keys of one host, Docker takes any but the very name. */
const auths = fc
  .uniqueArray(fc.tuple(spelling, entry), { minLength: 1, maxLength: 3, selector: ([key]) => hostOf(key) })
  .map((pairs) => Object.fromEntries(pairs) as object);
const config = fc
  .record(
    {
      auths,
      credsStore: helper,
      credHelpers: fc.oneof(
        helper.map((one) => ({ HOST: one })),
        fc.constant({ 'other.example': 'lt-right' }),
      ),
    },
    { requiredKeys: ['auths'] },
  )
  // Helpers are rarer than what stands in the file.
  .chain((all) => fc.constantFrom(all, { auths: all.auths }, { auths: all.auths }, { ...all, auths: {} }));
const written = fc.oneof(
  { weight: 9, arbitrary: config.map((one) => JSON.stringify(one)) },
  { weight: 1, arbitrary: config.map((one) => `\ufeff${JSON.stringify(one)}`) },
  { weight: 1, arbitrary: fc.constantFrom('', ' \n', 'null', 'no JSON', '[]', '{"auths": []}') },
);

describe('pulls with what config.json says', {
  skip:
    without('docker') || without('docker-registry') || (DOCKER === undefined && 'no Docker engine answers'),
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-pulls-'));
  const { PATH } = process.env;
  let registry: TestRegistry;
  let engine: Engine;
  let name: string;
  before(async () => {
    for (const [kind, does] of Object.entries(HELPERS))
      writeFileSync(join(folder, `docker-credential-lt-${kind}`), `#!/bin/sh\nread -r asked\n${does}\n`, {
        mode: 0o755,
      });
    process.env.PATH = `${folder}:${PATH}`;
    registry = await startRegistry((home) => [
      'auth:',
      `  htpasswd: {realm: test, path: ${join(home, 'htpasswd')}}`,
    ]);
    name = `${registry.host}/luet-ts-test/pulled:1`;
    const credentials = async () => ({ username: 'me', password: 'se:cret' });
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    await new Registry({ clock: testClock(), credentials }).write(
      name,
      await makeImage([1000], { architecture }),
    );
    engine = await testEngine();
  });
  after(async () => {
    process.env.PATH = PATH;
    await engine?.close();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const docker = (...words: string[]): Promise<Buffer> =>
    run(['docker', '--config', folder, '--host', DOCKER ?? '', ...words]);

  /** Whether Docker's command line gets the image; else what it said. */
  async function theirs(): Promise<string> {
    try {
      await docker('pull', '--quiet', name);
      await docker('rmi', name);
      return 'pulled';
    } catch (error) {
      return (error as Error).message;
    }
  }

  async function ours(): Promise<string> {
    const words = ['image', 'pull', name, ...(ENGINE === undefined ? [] : ['--engine', ENGINE])];
    const { code, stderr } = await cli(words, { env: { DOCKER_CONFIG: folder } });
    assert.doesNotMatch(stderr, /This is a bug/);
    if (code !== 0) return stderr;
    await engine.remove(name);
    return 'pulled';
  }

  test('generated files', async (t) => {
    const numRuns = Number(process.env.LUET_TS_TEST_PULLS || 12);
    const seed = Number(process.env.LUET_TS_TEST_SEED || Date.now() % 1_000_000);
    t.diagnostic(`LUET_TS_TEST_SEED=${seed}`);
    const different: string[] = [];
    const first = JSON.stringify({ auths: { HOST: { auth: RIGHT } } });
    for (const text of [first, `\ufeff${first}`, ...fc.sample(written, { numRuns, seed })]) {
      writeFileSync(join(folder, 'config.json'), text.replaceAll('HOST', registry.host));
      const [there, here] = [await theirs(), await ours()];
      if (text === first) assert.deepEqual([there, here], ['pulled', 'pulled']);
      if ((there === 'pulled') !== (here === 'pulled'))
        different.push(`${JSON.stringify(text)}: here ${here}; there ${there}`);
    }
    assert.equal(different.length, 0, `LUET_TS_TEST_SEED=${seed}:\n${different.join('\n')}`);
  });
});
