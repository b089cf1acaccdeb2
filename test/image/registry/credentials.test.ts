import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError, type Credentials, readCredentials } from '../../../src/image/index.ts';
import { jsonFault } from '../../../src/image/registry/json-fault.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const me = { auth: base64('me:pw') };
const mine: Credentials = { username: 'me', password: 'pw' };

/** What is known of a registry by a configuration, which is JSON or the text of a file. */
async function known(
  config: object | string,
  registry = 'f.example',
  authConfig?: string,
): Promise<Credentials | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-auth-'));
  try {
    writeFileSync(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
    return await readCredentials(registry, {
      folder,
      ...(authConfig && { authConfig: { name: 'DOCKER_AUTH_CONFIG', text: authConfig } }),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('a registry is found under every spelling of its host that Docker takes', async () => {
  for (const key of [
    'f.example',
    'f.example/',
    'f.example/v1/',
    'f.example/harbor',
    'http://f.example',
    'https://f.example',
    'https://f.example/',
    'https://f.example/v1/',
    'https://f.example/v2/',
    'https://f.example/harbor',
    'https://user@f.example/',
  ])
    assert.deepEqual(await known({ auths: { [key]: me } }), mine, key);
  for (const key of ['F.example', 'https://f.example:443/', 'f.example:443', 'g.example', '//f.example', ''])
    assert.equal(await known({ auths: { [key]: me } }), undefined, key);
  const port = 'https://127.0.0.1:5000/v2/';
  assert.deepEqual(await known({ auths: { [port]: me } }, '127.0.0.1:5000'), mine);
  const two = { 'https://f.example/': { auth: base64('a:1') }, 'f.example': me };
  assert.deepEqual(await known({ auths: two }), mine, 'the very name goes first');
});

test('Docker Hub has one name', async () => {
  const hub = 'https://index.docker.io/v1/';
  assert.deepEqual(await known({ auths: { [hub]: me } }, 'docker.io'), mine);
  for (const key of [
    'docker.io',
    'index.docker.io',
    'https://index.docker.io/v2/',
    'https://index.docker.io/v1',
  ])
    assert.equal(await known({ auths: { [key]: me } }, 'docker.io'), undefined, key);
});

test('entries as people and programs write them', async () => {
  const entry = (one: unknown) => known({ auths: { 'f.example': one } });
  assert.deepEqual(await entry({ username: 'u', password: 'p' }), { username: 'u', password: 'p' });
  assert.deepEqual(await entry({ username: 'u', password: 'p', auth: base64('a:1') }), {
    username: 'a',
    password: '1',
  });
  assert.deepEqual(await entry({ auth: base64('a:1\0\0') }), { username: 'a', password: '1' });
  assert.deepEqual(await entry({ auth: base64('a:b:c') }), { username: 'a', password: 'b:c' });
  assert.deepEqual(await entry({ auth: `\n${base64('me:pw')}\r\n` }), mine);
  assert.deepEqual(await entry({ AUTH: me.auth }), mine);
  assert.deepEqual(await entry({ auth: base64('0000:'), identitytoken: 't' }), {
    username: '0000',
    identitytoken: 't',
  });
  assert.deepEqual(await entry({ registrytoken: 'r' }), { registrytoken: 'r' });
  assert.deepEqual(await known({ AUTHS: { 'f.example': me }, auths: { 'g.example': {} } }), mine);
  for (const empty of [{}, null, { auth: '' }, { auth: null }, { username: 'u' }])
    assert.equal(await entry(empty), undefined, JSON.stringify(empty));
});

test('an empty name of a helper is no helper', async () => {
  const auths = { 'f.example': me };
  for (const none of ['', null]) {
    assert.deepEqual(await known({ auths, credsStore: none }), mine);
    assert.deepEqual(
      await known({ auths, credsStore: 'luet-ts-none', credHelpers: { 'f.example': none } }),
      mine,
    );
    assert.equal(await known({ auths: {}, credsStore: none }, 'docker.io'), undefined);
  }
  assert.deepEqual(await known({ auths, credHelpers: null, credsStore: null }), mine);
});

test('DOCKER_AUTH_CONFIG goes before the file, for the very name', async () => {
  const of = (key: string) => JSON.stringify({ auths: { [key]: { auth: base64('e:nv') } } });
  const auths = { 'f.example': me };
  assert.deepEqual(await known({ auths }, 'f.example', of('f.example')), { username: 'e', password: 'nv' });
  assert.deepEqual(await known({ auths, credsStore: 'luet-ts-none' }, 'f.example', of('f.example')), {
    username: 'e',
    password: 'nv',
  });
  assert.deepEqual(await known({ auths }, 'f.example', of('https://f.example')), mine);
  assert.deepEqual(await known({ auths }, 'f.example', ''), mine);
  await assert.rejects(
    known({ auths }, 'f.example', 'no'),
    /^ConfigError: DOCKER_AUTH_CONFIG:1:1: invalid JSON/,
  );
});

test('a configuration that cannot be read is an error with its place, and shows nothing of what is in it', async () => {
  const secret = 'aHVudGVyMg==';
  for (const [config, message] of [
    [`\ufeff${JSON.stringify({ auths: { 'f.example': me } })}`, /config\.json starts with a byte order mark/],
    ['no', /config\.json:1:1: invalid JSON/],
    [`{"auths": {\n  "f.example": {"auth": ${secret}}}`, /config\.json:2:25: invalid JSON/],
    [`{"auths": {"f.example": {"auth": "${secret}"}},}`, /config\.json:1:51: invalid JSON/],
    [`{"auths": {}} ${secret}`, /config\.json:1:15: invalid JSON/],
    ['[]', /config\.json is JSON, but not an object/],
    ['{"auths": []}', /config\.json: auths is not an object/],
    ['{"auths": {"f.example": 3}}', /the entry "f\.example" of auths is not an object/],
    ['{"auths": {"f.example": {"auth": 3}}}', /the entry "f\.example" of auths: auth is not a string/],
    [
      `{"auths": {"f.example": {"auth": "${secret}"}}}`,
      /"f\.example" of auths: auth must be NAME:PASSWORD in base64/,
    ],
    [
      `{"auths": {"https://f.example/": {"auth": "!${secret}"}}}`,
      /"https:\/\/f\.example\/" of auths: auth must be/,
    ],
    [`{"auths": {"f.example": {"auth": "${base64(':pw')}"}}}`, /must be NAME:PASSWORD in base64/],
    ['{"credsStore": 3}', /config\.json: credsStore is not a string/],
    ['{"credHelpers": {"f.example": 3}}', /config\.json: credHelpers: f\.example is not a string/],
  ] as const)
    await assert.rejects(known(config), (error: unknown) => {
      assert.ok(error instanceof ConfigError, config);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /aHVudGVyMg|hunter2/);
      return true;
    });
  // What is said of others does not matter.
  assert.deepEqual(await known({ auths: { 'f.example': me, 'g.example': { auth: '!' } } }), mine);
  for (const empty of ['', ' \n', 'null', '{}']) assert.equal(await known(empty), undefined);
});

test('a file that is not there says nothing, and one that cannot be opened is an error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-auth-'));
  try {
    assert.equal(await readCredentials('f.example', { folder }), undefined);
    assert.equal(await readCredentials('f.example', { folder: join(folder, 'none') }), undefined);
    mkdirSync(join(folder, 'config.json'));
    await assert.rejects(
      readCredentials('f.example', { folder }),
      /cannot read the Docker configuration: EISDIR/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('where JSON ends is where JSON.parse says it does, if it does', () => {
  const value = fc.json({ depthSize: 'small' });
  const damaged = fc
    .tuple(value, fc.nat(), fc.constantFrom('', ',', '}', '"', 'x', '\n', '[', '\\', ':', '1'))
    .map(([text, at, put]) => {
      const where = at % (text.length + 1);
      return text.slice(0, where) + put + text.slice(where + 1);
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string()), (text) => {
      let said: string | undefined;
      try {
        JSON.parse(text);
        return;
      } catch (error) {
        said = (error as Error).message;
      }
      const { line, column } = jsonFault(text);
      const offset =
        text
          .split('\n')
          .slice(0, line - 1)
          .join('\n').length +
        (line > 1 ? 1 : 0) +
        column -
        1;
      // All before it may be the beginning of something: what follows it is to blame.
      assert.ok(offset >= 0 && offset <= text.length);
      const position = /at position (\d+)/.exec(said)?.[1];
      if (position !== undefined && /^Expected/.test(said)) assert.equal(offset, Number(position), said);
    }),
    { numRuns: 2000 },
  );
});

test('credentials of a registry come from its helper, whatever the file has beside it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-auth-'));
  const path = process.env.PATH;
  try {
    const helper = `#!/bin/sh\nread -r r\ncase "$r" in h.example) echo '{"Username":"<token>","Secret":"abc"}';; *) echo 'credentials not found in native keychain'; exit 1;; esac\n`;
    writeFileSync(join(folder, 'docker-credential-luetts'), helper, { mode: 0o755 });
    process.env.PATH = `${folder}:${path}`;
    const auth = Buffer.from('me:pw').toString('base64');
    const auths = {
      'f.example': { auth },
      'https://index.docker.io/v1/': { auth },
      'i.example': { identitytoken: 't' },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths, credsStore: 'luetts' }));
    assert.deepEqual(await readCredentials('h.example', { folder }), { identitytoken: 'abc' });
    // As Docker takes it: where a helper is asked, it has to know.
    for (const registry of ['f.example', 'docker.io', 'i.example', 'none.example'])
      assert.equal(await readCredentials(registry, { folder }), undefined, registry);
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ credHelpers: { 'h.example': 'luetts' } }));
    assert.deepEqual(await readCredentials('h.example', { folder }), { identitytoken: 'abc' });
    assert.equal(await readCredentials('f.example', { folder }), undefined);
  } finally {
    process.env.PATH = path;
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a credential helper that fails is told of, without escapes and secrets', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-auth-'));
  const path = process.env.PATH;
  const asked = 'credential helper docker-credential-luetts for h.example failed:';
  try {
    process.env.PATH = `${folder}:${path}`;
    const auths = { 'f.example': { auth: Buffer.from('me:pw').toString('base64') } };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths, credsStore: 'luetts' }));
    for (const [script, message] of [
      [
        `printf '\\033[31mthe key hunter2 is\\007 locked\\033[0m\\nmore\\n' >&2; echo '{"Username":"a","Secret":"hunter2"}'; exit 3`,
        `${asked} exit code 3: the key *** is locked`,
      ],
      ['exit 1', `${asked} exit code 1`],
      ['echo hunter2', `${asked} its output is not JSON`],
      ['echo "{}"', `${asked} its output has no Username and Secret`],
      ['kill -9 $$', `${asked} killed by SIGKILL`],
    ] as const) {
      writeFileSync(join(folder, 'docker-credential-luetts'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      await assert.rejects(readCredentials('h.example', { folder }), { name: 'RegistryError', message });
      // What the file has is as good.
      assert.deepEqual(await readCredentials('f.example', { folder }), { username: 'me', password: 'pw' });
    }
    rmSync(join(folder, 'docker-credential-luetts'));
    await assert.rejects(readCredentials('h.example', { folder }), {
      message: `${asked} not found in PATH`,
    });
  } finally {
    process.env.PATH = path;
    rmSync(folder, { recursive: true, force: true });
  }
});
