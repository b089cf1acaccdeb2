import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Registry, transportOf } from '../../../src/image/index.ts';
import { noProxyMatcher } from '../../../src/image/registry/no-proxy.ts';
import { proxiesOf } from '../../../src/library/environment.ts';
import { cli } from '../../support/cli.ts';
import { ForwardProxy } from '../../support/forward-proxy.ts';
import { freePort, startRegistry, type TestRegistry } from '../../support/registry.ts';
import { without } from '../../support/tool.ts';
import { makeImage, readAll, testClock } from './support.ts';

test('NO_PROXY is read as programs in Go read it', () => {
  // What golang.org/x/net/http/httpproxy 0.43 answers.
  const file = join(import.meta.dirname, 'fixtures/no-proxy.json');
  const { urls, direct } = JSON.parse(readFileSync(file, 'utf8')) as {
    urls: string[];
    direct: Record<string, number[]>;
  };
  for (const [text, known] of Object.entries(direct)) {
    const isExcepted = noProxyMatcher(text);
    const found = urls.flatMap((url, i) => (isExcepted(new URL(url)) ? [i] : []));
    assert.deepEqual(found, known, JSON.stringify(text));
  }
  assert.ok(noProxyMatcher('')(new URL('http://a.localhost:5000/')));
});

test('the variables, and what is shown of them', () => {
  const via = (env: Record<string, string>, url = 'https://registry.test/') =>
    transportOf(proxiesOf(env)).via(new URL(url));
  assert.equal(via({}), '');
  assert.equal(via({ HTTPS_PROXY: '' }), '');
  assert.equal(via({ HTTP_PROXY: 'http://p:1' }), '');
  const https = { HTTPS_PROXY: 'http://me:hunter2@p:1', https_proxy: 'http://q:2', HTTP_PROXY: 'http://r:3' };
  assert.equal(via(https), ' through the proxy http://p:1 (HTTPS_PROXY)');
  assert.equal(via(https, 'http://registry.test/'), ' through the proxy http://r:3 (HTTP_PROXY)');
  assert.equal(via(https, 'https://127.0.0.1:5000/'), '');
  assert.equal(via({ ...https, NO_PROXY: 'x.test', no_proxy: 'registry.test' }), via(https));
  assert.equal(via({ https_proxy: 'p:3128' }), ' through the proxy http://p:3128 (https_proxy)');
  assert.equal(via({ https_proxy: 'p:3128', no_proxy: 'test' }), '');
  for (const [text, message] of [
    ['http://', /^invalid value of HTTPS_PROXY: "http:\/\/": not a proxy URL; expected http:\/\/HOST:PORT$/],
    ['http://me:hunter2@:x', /^invalid value of HTTPS_PROXY: "http:\/\/me:\*{7}@:x": not a proxy URL/],
    ['http://me:%zz@p:1', /not a proxy URL/],
    ['socks5://me:hunter2@p:1080', /"socks5:\/\/me:\*{7}@p:1080": SOCKS proxies are not supported/],
  ] as const) {
    assert.throws(() => via({ HTTPS_PROXY: text }), { name: 'ImageError', message });
    // Where nothing needs it, it does not matter.
    assert.equal(via({ HTTPS_PROXY: text, NO_PROXY: 'registry.test' }), '');
  }
});

const client = (env: Record<string, string>): Registry =>
  new Registry({ clock: testClock(), transport: transportOf(proxiesOf(env)), plainHttp: ['registry.test'] });

test('errors name the proxy', async () => {
  const none = `127.0.0.1:${await freePort()}`;
  const unreachable = client({ HTTPS_PROXY: `http://me:hunter2@${none}` }).image('other.test/a:1');
  await assert.rejects(unreachable, (error: Error) => {
    const where = new RegExp(
      `other\\.test cannot be reached through the proxy http://${none} \\(HTTPS_PROXY\\): .*ECONNREFUSED`,
    );
    assert.match(error.message, where);
    assert.doesNotMatch(`${error.stack}`, /hunter2/);
    return true;
  });
  await assert.rejects(client({ HTTPS_PROXY: 'socks5://p:1' }).image('other.test/a:1'), {
    name: 'RegistryError',
    message:
      /^cannot pull the manifest of other\.test\/a:1: invalid value of HTTPS_PROXY: "socks5:\/\/p:1": .*SOCKS/,
  });
  const proxy = new ForwardProxy({});
  const address = await proxy.start();
  const env = { HTTPS_PROXY: `http://${address}`, HTTP_PROXY: `http://${address}` };
  try {
    for (const name of ['other.test/a:1', 'registry.test/a:1']) {
      const [host = ''] = name.split('/');
      const variable = host === 'other.test' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
      proxy.status = 407;
      await assert.rejects(client(env).image(name), {
        message: `cannot pull the manifest of ${name}: ${host} cannot be reached: proxy http://${address} (${variable}) responds with 407; it requires a login: set ${variable} to http://NAME:PASSWORD@${address}`,
      });
      await assert.rejects(client({ [variable]: `http://me:hunter2@${address}` }).image(name), {
        message: new RegExp(`responds with 407; it rejects the user name and password in ${variable}$`),
      });
    }
    // It may pass: asked six times.
    proxy.status = 503;
    proxy.seen.length = 0;
    await assert.rejects(client(env).image('other.test/a:1'), /proxy .* responds with 503$/);
    assert.deepEqual(new Set(proxy.seen), new Set(['CONNECT other.test:443']));
    assert.equal(proxy.seen.length, 6);
  } finally {
    await proxy.stop();
  }
});

describe('a registry behind a proxy', { skip: without('docker-registry') || without('openssl') }, () => {
  let folder: string;
  let plain: TestRegistry;
  let encrypted: TestRegistry;
  let proxy: ForwardProxy;
  let address: string;
  let certificate: string;
  const tokens = createServer((_, response) => response.end('{"token":"t"}'));
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'luet-ts-proxy-'));
    const key = join(folder, 'key.pem');
    certificate = join(folder, 'cert.pem');
    const words =
      'req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 2 -addext subjectAltName=DNS:registry.test';
    execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    plain = await startRegistry();
    encrypted = await startRegistry(() => ['  tls:', `    certificate: ${certificate}`, `    key: ${key}`]);
    await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
    proxy = new ForwardProxy({
      'registry.test:80': plain.host,
      'registry.test:443': encrypted.host,
      'tokens.test:80': `127.0.0.1:${(tokens.address() as AddressInfo).port}`,
    });
    address = await proxy.start();
  });
  after(async () => {
    tokens.close();
    await proxy?.stop();
    await plain?.stop();
    await encrypted?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is pushed to and pulled from without encryption', async () => {
    proxy.seen.length = 0;
    proxy.login = `Basic ${Buffer.from('me:hun@ter').toString('base64')}`;
    const registry = client({ http_proxy: `http://me:hun%40ter@${address}` });
    await registry.write('registry.test/a:1', await makeImage([300_000, 5]));
    await readAll(await registry.image('registry.test/a:1'));
    assert.ok(proxy.seen.includes('GET http://registry.test/v2/a/manifests/1'), proxy.seen.join('\n'));
    proxy.login = undefined;
  });

  test('is asked by commands, with nothing else set', async () => {
    proxy.seen.length = 0;
    mkdirSync(join(folder, 'root'));
    writeFileSync(join(folder, 'root/file'), 'content');
    const env = { HTTPS_PROXY: `http://${address}`, NODE_EXTRA_CA_CERTS: certificate };
    for (const words of [
      ['image', 'copy', 'rootfs:root', 'docker://registry.test/b:1'],
      ['image', 'inspect', 'docker://registry.test/b:1'],
      ['util', 'unpack', 'registry.test/b:1', 'again'],
      ['util', 'image-exist', 'registry.test/b:1'],
    ]) {
      proxy.seen.length = 0;
      const { code, stderr } = await cli(words, { cwd: folder, env });
      assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
      assert.deepEqual(new Set(proxy.seen), new Set(['CONNECT registry.test:443']), words.join(' '));
    }
    assert.equal(readFileSync(join(folder, 'again/file'), 'utf8'), 'content');
    // This machine's own registries are none of its business.
    proxy.seen.length = 0;
    const own = await cli(['image', 'copy', 'rootfs:root', `docker://${plain.host}/c:1`], {
      cwd: folder,
      env: { HTTPS_PROXY: `http://${address}`, HTTP_PROXY: `http://${address}` },
    });
    assert.deepEqual([own.code, proxy.seen], [0, []], own.stderr);
  });

  test('gets its tokens through it', async () => {
    proxy.seen.length = 0;
    const answers = createServer((request, response) => {
      const isKnown = request.headers.authorization === 'Bearer t';
      response.writeHead(isKnown ? 404 : 401, {
        'www-authenticate': 'Bearer realm="http://tokens.test/token"',
      });
      response.end();
    });
    await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(answers.address() as AddressInfo).port}`;
    const registry = new Registry({
      clock: testClock(),
      transport: transportOf(proxiesOf({ HTTP_PROXY: `http://${address}` })),
      plainHttp: ['tokens.test'],
    });
    try {
      assert.equal(await registry.image(`${host}/a:1`), undefined);
      assert.deepEqual(proxy.seen, ['GET http://tokens.test/token?scope=repository%3Aa%3Apull']);
    } finally {
      answers.close();
    }
  });
});
