import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Credentials, Registry } from '../../../src/image/index.ts';
import { testClock } from './support.ts';

/* Registries that try to have what they are shown sent to somebody else, or to use us to ask a port of this machine. */

const credentials: Credentials = { username: 'me', password: 'hunter2' };

/** A server that keeps what it is asked, and answers with this. */
async function listening(
  t: TestContext,
  answer: (request: IncomingMessage) => { status: number; headers?: Record<string, string> },
): Promise<{ host: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request);
    const { status, headers } = answer(request);
    response.writeHead(status, headers).end('{"token":"x"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const bearer = (realm: string): Record<string, string> => ({
  'www-authenticate': `Bearer realm="${realm}",service="x"`,
});

/** Answers requests to hosts of other machines, which no test can reach; others are let through. Keeps whom they went to. */
function elsewhere(t: TestContext, answer: (url: URL) => Response): string[] {
  const asked: string[] = [];
  const real = globalThis.fetch;
  t.mock.method(globalThis, 'fetch', async (to: string | URL, init?: RequestInit) => {
    const url = new URL(to);
    const authorization = new Headers(init?.headers).get('authorization') ?? 'nothing';
    asked.push(`${url.host} ${authorization.split(' ', 1)[0]}`);
    return url.hostname.endsWith('.example') ? answer(url) : await real(to, init);
  });
  return asked;
}

const wanted = { clock: testClock(), credentials: async () => credentials };

test('a registry elsewhere cannot have a password sent to a port of this machine', async (t) => {
  const local = await listening(t, () => ({ status: 200 }));
  for (const realm of [
    `http://${local.host}/token`,
    `https://${local.host}/token`,
    'http://localhost/token',
  ]) {
    const asked = elsewhere(t, () => new Response('', { status: 401, headers: bearer(realm) }));
    await assert.rejects(
      new Registry(wanted).image('registry.example/a:1'),
      /registry\.example requires a token from .*, which is not an https address of another machine/,
    );
    assert.deepEqual(asked, ['registry.example nothing']);
    t.mock.restoreAll();
  }
  assert.deepEqual(local.asked, []);
});

test('a registry elsewhere cannot have one sent without encryption, even to a registry that is talked to so', async (t) => {
  const asked = elsewhere(
    t,
    () => new Response('', { status: 401, headers: bearer('http://plain.example/token') }),
  );
  const registry = new Registry({ ...wanted, plainHttp: ['plain.example'] });
  await assert.rejects(registry.image('registry.example/a:1'), /which is not an https address/);
  assert.deepEqual(asked, ['registry.example nothing']);
});

test('a registry elsewhere cannot lead to a port of this machine', async (t) => {
  const local = await listening(t, () => ({ status: 200 }));
  for (const location of [`http://${local.host}/`, `https://${local.host}/`]) {
    elsewhere(t, () => new Response('', { status: 307, headers: { location } }));
    await assert.rejects(
      new Registry(wanted).image('registry.example/a:1'),
      /redirects to .*a port of this machine/,
    );
    t.mock.restoreAll();
  }
  assert.deepEqual(local.asked, []);
});

test('what another host asks for that a registry leads to is not shown to anybody', async (t) => {
  const thief = await listening(t, () => ({ status: 200 }));
  const other = await listening(t, () => ({ status: 401, headers: bearer(`http://${thief.host}/token`) }));
  const registry = await listening(t, () => ({
    status: 307,
    headers: { location: `http://${other.host}/blob` },
  }));
  await assert.rejects(new Registry(wanted).image(`${registry.host}/a:1`), /answers 401/);
  assert.deepEqual(thief.asked, []);
  assert.deepEqual(
    other.asked.map(({ headers }) => headers.authorization),
    other.asked.map(() => undefined),
  );
});
