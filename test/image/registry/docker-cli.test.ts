import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { ConfigError, type Credentials, RegistryError, readCredentials } from '../../../src/image/index.ts';
import { DockerCli, type ShownAuth } from '../../support/docker-cli.ts';
import { without } from '../../support/tool.ts';

const PROGRAM = process.env.LUET_TS_TEST_DOCKER_CLI || 'docker';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What a helper of ours knows, by what it is asked for. */
const HELPER = `#!/bin/sh
read -r asked
case $asked in
*token*) echo '{"ServerURL":"x","Username":"<token>","Secret":"helped"}' ;;
*pair*) echo '{"ServerURL":"x","Username":"helper","Secret":"helped"}' ;;
*fail*) exit 3 ;;
*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`;

const host = fc.constantFrom(
  'a.example',
  'pair.example',
  'token.example:5000',
  'fail.example',
  '127.0.0.1:5000',
);
const spelled = fc
  .tuple(
    fc.constantFrom('', 'http://', 'https://'),
    host,
    fc.constantFrom('', '/', '/v1/', '/v2/', '/harbor', '/harbor/library', ':443'),
  )
  .map((parts) => parts.join(''));
const key = fc.oneof(
  { weight: 4, arbitrary: spelled },
  { weight: 4, arbitrary: host },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'https://index.docker.io/v1/',
      'docker.io',
      'index.docker.io',
      'A.example',
      '',
    ),
  },
);
const capitals = (name: string) => fc.constantFrom(name, name, name, name.toUpperCase());
const field = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(fc.tuple(capitals(name), value), { nil: undefined, freq: 3 });
const object = (...fields: fc.Arbitrary<readonly [string, unknown] | undefined>[]) =>
  fc.tuple(...fields).map((all) => Object.fromEntries(all.filter((one) => one !== undefined)) as object);
const auth = fc.constantFrom('me:pw', 'me:p:w', 'me:pw\0\0', 'me:\0pw', 'me:', 'mé:pä').map(base64);
const entry = fc.oneof(
  { weight: 3, arbitrary: auth.map((one) => ({ auth: one })) },
  {
    weight: 3,
    arbitrary: object(
      field(
        'auth',
        fc.oneof(
          auth,
          auth.map((one) => `${one}\r\n`),
          fc.constantFrom('', null),
        ),
      ),
      field('username', fc.constantFrom('user', '', null)),
      field('password', fc.constantFrom('word', '')),
      field('identitytoken', fc.constantFrom('identity', '')),
      field('registrytoken', fc.constantFrom('bearer', '')),
      field('email', fc.constant('me@example.org')),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom({}, null) },
);
const helper = fc.constantFrom('', null, 'luetts', 'luet-ts-none');
/** Of several keys of one host, Docker takes any but the very name. */
const auths = fc
  .uniqueArray(fc.tuple(key, entry), {
    maxLength: 5,
    selector: ([name]) => name.replace(/^https?:\/\//, '').split('/', 1)[0],
  })
  .map((list) => Object.fromEntries(list) as object);
const config = object(
  fc.tuple(
    capitals('auths'),
    fc.oneof({ weight: 9, arbitrary: auths }, { weight: 1, arbitrary: fc.constant(null) }),
  ),
  field('credsStore', helper),
  field(
    'credHelpers',
    fc
      .uniqueArray(fc.tuple(key, helper), { selector: ([name]) => name })
      .map((list) => Object.fromEntries(list) as object),
  ),
  field('HttpHeaders', fc.constant({ 'X-Meta': 'x' })),
  field('currentContext', fc.constant('default')),
);
const reference = fc.oneof(
  { weight: 4, arbitrary: host.map((one) => `${one}/a/b:1`) },
  { weight: 1, arbitrary: fc.constantFrom('alpine', 'docker.io/a/b', 'index.docker.io/library/alpine:3') },
);
const registryOf = (name: string): string =>
  /^(?:docker\.io|index\.docker\.io|[^/.:]+$)/.test(name) ? 'docker.io' : (name.split('/', 1)[0] ?? '');

/** What a registry gets to see of it. */
function usable(shown: Credentials | ShownAuth | undefined): object {
  const { username, password, identitytoken, registrytoken } = (shown ?? {}) as Credentials;
  return {
    ...(username && password ? { username, password } : {}),
    ...(identitytoken ? { identitytoken } : {}),
    ...(registrytoken ? { registrytoken } : {}),
  };
}

describe("config.json as Docker's command line reads it", { skip: without(PROGRAM) }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-auth-'));
  const path = process.env.PATH;
  let cli: DockerCli;
  before(async () => {
    writeFileSync(join(folder, 'docker-credential-luetts'), HELPER, { mode: 0o755 });
    process.env.PATH = `${folder}:${path}`;
    cli = await DockerCli.open(PROGRAM);
  });
  after(() => {
    process.env.PATH = path;
    cli?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (text: string): void => writeFileSync(join(folder, 'config.json'), text);

  test('what is shown to a registry', async () => {
    await fc.assert(
      fc.asyncProperty(config, reference, async (written, name) => {
        write(JSON.stringify(written));
        const { auth: theirs, said } = await cli.pull(name, folder);
        assert.equal(said, '');
        const ours = await readCredentials(registryOf(name), { folder }).catch((error: unknown) => {
          // Docker says nothing of a helper that failed.
          if (error instanceof RegistryError && !(error instanceof ConfigError)) return undefined;
          throw error;
        });
        assert.deepEqual(usable(ours), usable(theirs));
      }),
      { numRuns: Number(process.env.LUET_TS_TEST_CONFIGS || 60) },
    );
  });

  test('what is warned of there is an error here', async () => {
    const me = { auth: base64('me:pw') };
    const all = JSON.stringify({ auths: { 'a.example': me } });
    for (const text of [
      `\ufeff${all}`,
      'no JSON',
      `${all.slice(0, -1)},}`,
      '[]',
      '{"auths": []}',
      '{"auths": {"a.example": "me"}}',
      '{"auths": {"a.example": {"auth": 3}}}',
      '{"auths": {"a.example": {"auth": "me:pw"}}}',
      `{"auths": {"a.example": {"auth": "${base64('me')}"}}}`,
      '{"auths": {"a.example": {"auth": "bWU6cHc"}}}',
      '{"credsStore": ["x"]}',
      '{"credHelpers": {"a.example": 1}}',
    ]) {
      write(text);
      assert.match((await cli.pull('a.example/a:1', folder)).said, /WARNING: Error/, text);
      await assert.rejects(readCredentials('a.example', { folder }), ConfigError, text);
    }
    for (const text of ['', 'null', '{}', ' \n']) {
      write(text);
      const { auth: theirs, said } = await cli.pull('a.example/a:1', folder);
      assert.deepEqual([said, usable(theirs)], ['', {}], text);
      assert.equal(await readCredentials('a.example', { folder }), undefined);
    }
  });
});
