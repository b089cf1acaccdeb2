import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { FaultyProxy } from '../../support/faulty-proxy.ts';
import { startRegistry } from '../../support/registry.ts';
import { SeparateMachine } from '../../support/separate-machine.ts';
import { needs, onBase, type PackageFiles } from '../../support/site.ts';
import { makeCertificate, TokenServer } from '../../support/token-server.ts';
import { without } from '../../support/tool.ts';

/* The command with a shared cache that takes a login. */

const packages: Record<string, PackageFiles> = {
  seed: { build: onBase('echo 1 >/one') },
  top: { build: { ...needs('seed'), steps: ['cat /one >/two'] } },
};

/** A machine that trusts a certificate and knows the login for a registry. */
async function machineFor(t: TestContext, host: string, certificate?: string): Promise<SeparateMachine> {
  const trust: Record<string, string> = certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificate };
  const machine = new SeparateMachine(packages, trust);
  t.after(() => machine.remove());
  const auth = Buffer.from('me:se:cret').toString('base64');
  mkdirSync(join(machine.folder, '.docker'));
  writeFileSync(join(machine.folder, '.docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  await machine.loadBase();
  return machine;
}

/** A machine pushes all packages, and another one takes them. */
async function shares(t: TestContext, host: string, certificate?: string): Promise<void> {
  const flags = ['--all', '--push', '--pull', '--image-repository', `${host}/team/cache`];
  const first = await machineFor(t, host, certificate);
  const pushed = await first.build([...flags, '--push-final-images']);
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.match(pushed.stderr, /2 built in /);
  const second = await machineFor(t, host, certificate);
  const pulled = await second.build(flags);
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.match(pulled.stderr, /2 cut in /);
  assert.deepEqual(second.written(), first.written());
}

describe('a shared cache that takes a login', {
  skip: without('docker-registry') || without('openssl'),
}, () => {
  /** A registry with TLS, or without, that takes tokens. */
  const withTokens = async (t: TestContext, isEncrypted: boolean) => {
    const tokens = new TokenServer();
    await tokens.start();
    t.after(() => tokens.stop());
    let certificate = '';
    const registry = await startRegistry((folder) => {
      const key = join(folder, 'key.pem');
      certificate = join(folder, 'cert.pem');
      makeCertificate(key, certificate);
      const tls = ['  tls:', `    certificate: ${certificate}`, `    key: ${key}`];
      return [...(isEncrypted ? tls : []), ...tokens.auth(key, certificate)];
    });
    t.after(() => registry.stop());
    return { tokens, registry, certificate };
  };

  test('a name and a password, with encryption', async (t) => {
    let certificate = '';
    const registry = await startRegistry((folder) => {
      const key = join(folder, 'key.pem');
      certificate = join(folder, 'cert.pem');
      makeCertificate(key, certificate);
      return [
        ...['  tls:', `    certificate: ${certificate}`, `    key: ${key}`],
        ...['auth:', `  htpasswd: {realm: test, path: ${join(folder, 'htpasswd')}}`],
      ];
    });
    t.after(() => registry.stop());
    await shares(t, registry.host, certificate);
  });

  test('tokens, with encryption', async (t) => {
    const { registry, certificate } = await withTokens(t, true);
    await shares(t, registry.host, certificate);
  });

  test('tokens that end in the middle of a push', async (t) => {
    const { registry, tokens } = await withTokens(t, false);
    const proxy = new FaultyProxy(registry.host);
    const host = await proxy.start();
    t.after(() => proxy.stop());
    const known = new Set<string>();
    const ended = new Set<string>();
    let requests = 0;
    const refusal = `Bearer realm="${tokens.realm}",service="registry",error="invalid_token"`;
    let refused = 0;
    proxy.fault = ({ headers: { authorization } }) => {
      // With every tenth request all tokens end that were shown so far.
      if (++requests % 10 === 0) for (const token of known) ended.add(token);
      if (authorization === undefined) return undefined;
      known.add(authorization);
      if (!ended.has(authorization)) return undefined;
      refused++;
      return { kind: 'answer', status: 401, headers: { 'www-authenticate': refusal } };
    };
    await shares(t, host);
    assert.ok(refused > 3, `${refused} refused`);
  });

  test('one that may only read: everything is built, and what to do is said', async (t) => {
    const { registry, tokens } = await withTokens(t, false);
    tokens.grants = ['pull'];
    const machine = await machineFor(t, registry.host);
    const repository = `${registry.host}/team/cache`;
    const flags = ['--all', '--push', '--pull', '--image-repository', repository, '--push-final-images'];
    const answer = await machine.build(flags);
    assert.equal(answer.code, 1);
    assert.match(answer.stderr, /2 built in /);
    assert.equal(Object.keys(machine.written()).length, 4);
    assert.match(
      answer.stderr,
      /error\[not-pushed\]: t\/top-1: its image was built and not pushed to .*the saved login of "me" is not sufficient: docker login/,
    );
    assert.match(answer.stderr, /error\[not-pushed\]: t\/top-1: its content was not pushed/);
    assert.doesNotMatch(answer.stderr, /se:cret|bWU6/);
    assert.deepEqual(machine.leftovers(), []);
  });
});
