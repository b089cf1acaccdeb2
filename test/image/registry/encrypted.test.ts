import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Registry } from '../../../src/image/index.ts';
import { luetTs } from '../../support/cli.ts';
import { HTPASSWD, startRegistry, type TestRegistry } from '../../support/registry.ts';
import { collect } from '../../support/stream.ts';
import { without } from '../../support/tool.ts';
import { testClock } from './support.ts';

describe('a registry with encryption at a loopback address', {
  skip: without('docker-registry') || without('openssl'),
}, () => {
  let folder: string;
  let key: string;
  let certificate: string;
  let server: TestRegistry;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'luet-ts-tls-'));
    key = join(folder, 'key.pem');
    certificate = join(folder, 'cert.pem');
    const words =
      'req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 2 -addext subjectAltName=IP:127.0.0.1';
    execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    writeFileSync(join(folder, 'htpasswd'), `${HTPASSWD}\n`);
    server = await startRegistry(() => [
      '  tls:',
      `    certificate: ${certificate}`,
      `    key: ${key}`,
      'auth:',
      `  htpasswd: {realm: test, path: ${join(folder, 'htpasswd')}}`,
    ]);
    mkdirSync(join(folder, 'root'));
    writeFileSync(join(folder, 'root/file'), 'content');
    const auth = Buffer.from('me:se:cret').toString('base64');
    mkdirSync(join(folder, '.docker'));
    writeFileSync(
      join(folder, '.docker/config.json'),
      JSON.stringify({ auths: { [server.host]: { auth } } }),
    );
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a command in a process of its own: which authorities are trusted is read once in each. */
  const run = async (words: readonly string[], env: Record<string, string> = {}) => {
    const child = spawn(luetTs, words, {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said, code] = await Promise.all([
      collect(child.stderr),
      new Promise((resolve) => child.on('close', resolve)),
    ]);
    return { code, said: said.toString() };
  };

  test('is pushed to and pulled from where its certificate is trusted', async () => {
    const trusted = { NODE_EXTRA_CA_CERTS: certificate };
    const name = `docker://${server.host}/a/b:1`;
    const pushed = await run(['image', 'copy', 'rootfs:root', name], trusted);
    assert.equal(pushed.code, 0, pushed.said);
    const pulled = await run(['image', 'copy', name, 'rootfs:back'], trusted);
    assert.equal(pulled.code, 0, pulled.said);
    assert.equal(readFileSync(join(folder, 'back/file'), 'utf8'), 'content');
  });

  test('is not taken at its word where it is not, and not asked without encryption instead', async () => {
    const { code, said } = await run(['image', 'inspect', `docker://${server.host}/a/b:1`]);
    assert.equal(code, 1);
    assert.match(said, /image-failed.*self-signed certificate.*NODE_EXTRA_CA_CERTS/);
  });

  test('that answers nothing without encryption is found out as well', async () => {
    const other = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      const name = `127.0.0.1:${(other.address() as AddressInfo).port}/a/b:1`;
      const image = new Registry({ clock: testClock() }).image(name);
      await assert.rejects(image, /self-signed certificate.*NODE_EXTRA_CA_CERTS/);
    } finally {
      other.close();
    }
  });

  test('is asked without encryption only where that is asked for', async () => {
    const plain = new Registry({ clock: testClock(), plainHttp: [server.host] });
    await assert.rejects(plain.image(`${server.host}/a/b:1`), /answers 400 .*may require https/);
  });
});
