import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Credentials, Registry } from '../../../src/image/index.ts';
import { FaultyProxy } from '../../support/faulty-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { without } from '../../support/tool.ts';
import { makeImage, readAll, testClock } from './support.ts';

const client = (credentials?: Credentials, clock = testClock()): Registry =>
  new Registry({ clock, credentials: async () => credentials });

describe('a registry that takes names and passwords', { skip: without('docker-registry') }, () => {
  let server: TestRegistry;
  before(async () => {
    server = await startRegistry((folder) => [
      'auth:',
      `  htpasswd: {realm: test, path: ${join(folder, 'htpasswd')}}`,
    ]);
  });
  after(() => server?.stop());

  test('takes the right ones', async () => {
    const registry = client({ username: 'me', password: 'se:cret' });
    await registry.write(`${server.host}/a:1`, await makeImage([100_000, 5]));
    await readAll(await registry.image(`${server.host}/a:1`));
  });

  test('says which login is missing or wrong, and shows no password', async () => {
    await assert.rejects(client().image(`${server.host}/a:1`), {
      message: new RegExp(`answers 401 .*requires a login: docker login ${server.host}$`),
    });
    const wrong = client({ username: 'me', password: 'hunter2' }).image(`${server.host}/a:1`);
    await assert.rejects(wrong, (error: Error) => {
      assert.match(error.message, /the saved login of "me" is not sufficient: docker login/);
      assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /hunter2|bWU6/);
      return true;
    });
  });
});

const missing = without('docker-registry') || without('openssl');

describe('a registry that takes tokens', { skip: missing }, () => {
  let server: TestRegistry;
  let proxy: FaultyProxy;
  let host: string;
  let tokens: Server;
  let pem = '';
  let certificate = '';
  /** What the server of tokens was asked, and how it answers. */
  const asked: { readonly method: string; readonly scopes: readonly string[]; readonly grant?: string }[] =
    [];
  let life = 300;
  let echo = false;

  before(async () => {
    tokens = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const isPost = request.method === 'POST';
      const form = isPost
        ? new URLSearchParams(Buffer.concat(chunks).toString())
        : new URL(request.url ?? '', 'http://x').searchParams;
      const scopes = isPost ? (form.get('scope') ?? '').split(' ') : form.getAll('scope');
      const grant = form.get('grant_type');
      asked.push({ method: request.method ?? '', scopes, ...(grant === null ? {} : { grant }) });
      const basic = `Basic ${Buffer.from('me:se:cret').toString('base64')}`;
      const isKnown = isPost
        ? form.get('refresh_token') === 'identity'
        : request.headers.authorization === basic;
      if (!isKnown) {
        response.writeHead(401).end(echo ? `you said ${request.headers.authorization}` : '');
        return;
      }
      const access = scopes.map((scope) => {
        const [type = '', name = '', actions = ''] = scope.split(':');
        return { type, name, actions: actions.split(',') };
      });
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: 'test',
        aud: 'registry',
        sub: 'me',
        nbf: now - 60,
        iat: now - 60,
        exp: now + 600,
        jti: '1',
        access,
      };
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const der = new X509Certificate(certificate).raw.toString('base64');
      const head = part({ typ: 'JWT', alg: 'RS256', x5c: [der] });
      const text = `${head}.${part(claims)}`;
      const signature = sign('sha256', Buffer.from(text), createPrivateKey(pem)).toString('base64url');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ [isPost ? 'access_token' : 'token']: `${text}.${signature}`, expires_in: life }),
      );
    });
    await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
    const realm = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`;
    server = await startRegistry((folder) => {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const words = [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-subj',
        '/CN=test',
        '-days',
        '2',
      ];
      execFileSync('openssl', words, { stdio: 'ignore' });
      pem = readFileSync(key, 'utf8');
      certificate = readFileSync(cert, 'utf8');
      return [
        'auth:',
        `  token: {realm: "${realm}", service: registry, issuer: test, rootcertbundle: ${cert}}`,
      ];
    });
    proxy = new FaultyProxy(server.host);
    host = await proxy.start();
  });
  after(async () => {
    await proxy?.stop();
    await server?.stop();
    await new Promise((resolve) => tokens?.close(resolve));
  });

  for (const [how, credentials] of [
    ['a password', { username: 'me', password: 'se:cret' }],
    ['an identity token', { identitytoken: 'identity' }],
  ] as const)
    test(`gives one for ${how}, which is used until it ends`, async () => {
      asked.length = 0;
      life = 300;
      const registry = client(credentials);
      await registry.write(`${host}/t:1`, await makeImage([100_000, 50, 60, 70]));
      await readAll(await registry.image(`${host}/t:1`));
      assert.deepEqual(
        asked.map(({ scopes }) => scopes),
        [['repository:t:pull,push'], ['repository:t:pull']],
      );
      assert.ok(asked.every(({ method }) => method === ('identitytoken' in credentials ? 'POST' : 'GET')));
      await registry.write(
        `${host}/mounted:1`,
        (await registry.image(`${host}/t:1`)) ?? (await makeImage([])),
      );
      assert.ok(proxy.seen.some(({ url }) => url.includes('mount=')));
      assert.ok(asked.some(({ scopes }) => scopes.length === 2 && scopes.includes('repository:t:pull')));
    });

  test('is shown a new one when the old one has ended, or is refused', async () => {
    asked.length = 0;
    life = 30;
    const clock = testClock();
    let now = clock.now();
    const registry = client({ username: 'me', password: 'se:cret' }, { ...clock, now: () => now });
    await registry.tags(`${host}/t`);
    await registry.tags(`${host}/t`);
    assert.equal(asked.length, 1);
    now += 21_000;
    await registry.tags(`${host}/t`);
    assert.equal(asked.length, 2);
    let refusals = 1;
    proxy.fault = () => {
      const headers = {
        'www-authenticate': `Bearer realm="http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token",service="registry",error="invalid_token"`,
      };
      return refusals-- > 0 ? { kind: 'answer', status: 401, headers } : undefined;
    };
    await registry.tags(`${host}/t`);
    assert.equal(asked.length, 3);
    proxy.fault = () => undefined;
  });

  test('says that a login is wrong, without the password that the server repeats', async () => {
    echo = true;
    const wrong = client({ username: 'me', password: 'hunter2' }).image(`${host}/t:1`);
    await assert.rejects(wrong, (error: Error) => {
      assert.match(error.message, /cannot get the token for .* the saved login of "me" is not sufficient/);
      assert.doesNotMatch(`${error.stack}`, /hunter2|bWU6/);
      return true;
    });
    await assert.rejects(client().image(`${host}/t:1`), /it requires a login: docker login/);
  });

  test('may lead to another place, with the password where that is the same host', async () => {
    const own = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}`;
    const seen: string[] = [];
    let status = 307;
    let location = (path: string): string => `${own}${path}`;
    const moved = createServer((request, response) => {
      const { method, url = '', headers } = request;
      seen.push(`${method} ${headers.authorization === undefined ? 'without' : 'with'} a password`);
      request.resume();
      response.writeHead(status, { location: location(url) }).end();
    });
    await new Promise<void>((resolve) => moved.listen(0, '127.0.0.1', resolve));
    const { port } = moved.address() as AddressInfo;
    let realm = `http://127.0.0.1:${port}/token`;
    proxy.fault = ({ headers }) =>
      headers.authorization === undefined
        ? {
            kind: 'answer',
            status: 401,
            headers: { 'www-authenticate': `Bearer realm="${realm}",service="registry"` },
          }
        : undefined;
    const known = { username: 'me', password: 'se:cret' };
    try {
      for (status of [301, 302, 303, 307, 308]) await client(known).tags(`${host}/t`);
      assert.deepEqual(new Set(seen), new Set(['GET with a password']));
      // A form goes along where the request stays what it is.
      for (status of [307, 308]) await client({ identitytoken: 'identity' }).tags(`${host}/t`);
      assert.deepEqual(seen.slice(-2), ['POST without a password', 'POST without a password']);
      // Another host gets none, and no form.
      realm = `http://localhost:${port}/token`;
      asked.length = 0;
      await assert.rejects(
        client(known).tags(`${host}/t`),
        /responds with 401: the saved login of "me" is not sufficient/,
      );
      assert.equal(asked.length, 1);
      await assert.rejects(
        client({ identitytoken: 'identity' }).tags(`${host}/t`),
        /localhost:\d+ redirects to another host, http:\/\/127\.0\.0\.1:\d+; the saved token is not sent there/,
      );
      assert.equal(asked.length, 1);
      realm = `http://127.0.0.1:${port}/token`;
      location = () => 'http://example.org/';
      await assert.rejects(
        client(known).tags(`${host}/t`),
        /redirects to http:\/\/example\.org, which is not encrypted/,
      );
      location = () => '/token';
      await assert.rejects(client(known).tags(`${host}/t`), /too many redirections/);
      location = () => 'http://[';
      await assert.rejects(client(known).tags(`${host}/t`), /invalid redirection/);
    } finally {
      proxy.fault = () => undefined;
      moved.close();
    }
  });

  test('does not get a password to send it on unencrypted', async () => {
    const headers = { 'www-authenticate': 'Bearer realm="http://example.org/token",service="x"' };
    proxy.fault = () => ({ kind: 'answer', status: 401, headers });
    const known = client({ username: 'me', password: 'hunter2' });
    await assert.rejects(
      known.image(`${host}/t:1`),
      /requires a token from http:\/\/example.org\/token, which is not an https address/,
    );
    proxy.fault = () => undefined;
  });
});
