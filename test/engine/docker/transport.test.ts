import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { cli } from '../../support/cli.ts';
import { ENGINE, isNative } from '../../support/engine.ts';
import { run, without } from '../../support/tool.ts';

const socketPath = ENGINE?.startsWith('unix://') ? ENGINE.slice('unix://'.length) : '/var/run/docker.sock';
const tree = join(import.meta.dirname, '../../conformance/cases/env-context/tree');

/** Joins two connections, end for end. */
function joinEnds(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );

/** Builds one package, attached streams and uploads and all, by way of this environment. */
async function builds(env: Record<string, string>, engine?: string): Promise<void> {
  const destination = mkdtempSync(join(tmpdir(), 'luet-ts-transport-'));
  try {
    const words = [
      'build',
      '--tree',
      tree,
      'utils/env',
      '--destination',
      destination,
      '--image-repository',
      'luet-ts-test/transport',
      '--keep-images=false',
      '--rebuild',
      '--network',
      'none',
    ];
    const answer = await cli([...words, ...(engine === undefined ? [] : ['--engine', engine])], { env });
    assert.equal(answer.code, 0, answer.stderr);
    assert.match(answer.stderr, /utils\/env-1\.0: built/);
  } finally {
    rmSync(destination, { recursive: true, force: true });
  }
}

describe('an engine is reached', { skip: isNative && 'native is in this process' }, () => {
  let folder: string;
  const servers: Server[] = [];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'luet-ts-transport-'));
  });
  after(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('over tcp', async () => {
    const server = createServer((socket) => joinEnds(socket, connect(socketPath)));
    servers.push(server);
    await builds({ DOCKER_HOST: `tcp://127.0.0.1:${await listening(server)}` });
  });

  test('over tcp with TLS, both sides with certificates', { skip: without('openssl') }, async () => {
    const openssl = (...words: string[]): Promise<Buffer> => run(['openssl', ...words], { cwd: folder });
    await openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=authority',
      '-keyout',
      'ca-key.pem',
      '-out',
      'ca.pem',
    );
    writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\n');
    for (const name of ['server', 'client']) {
      await openssl(
        'req',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        `${name}-key.pem`,
        '-out',
        `${name}.csr`,
      );
      await openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca-key.pem',
        '-CAcreateserial',
        '-days',
        '2',
        '-extfile',
        'names',
        '-out',
        `${name}-cert.pem`,
      );
    }
    const pem = (name: string): Buffer => readFileSync(join(folder, name));
    const server = createTlsServer(
      {
        ca: pem('ca.pem'),
        cert: pem('server-cert.pem'),
        key: pem('server-key.pem'),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => joinEnds(socket, connect(socketPath)),
    );
    server.on('tlsClientError', () => {});
    servers.push(server);
    const address = `tcp://127.0.0.1:${await listening(server)}`;
    writeFileSync(join(folder, 'cert.pem'), pem('client-cert.pem'));
    writeFileSync(join(folder, 'key.pem'), pem('client-key.pem'));
    await builds({ DOCKER_HOST: address, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder });

    rmSync(join(folder, 'cert.pem'));
    const refused = await cli(['engine'], {
      env: { DOCKER_HOST: address, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder },
    });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /the engine that DOCKER_HOST names does not answer/);
  });

  test('over ssh, by the ssh program and what it is told', async () => {
    // Stands for ssh and for `docker system dial-stdio` on the far side: joins its standard streams with the socket.
    const ssh = join(folder, 'ssh');
    writeFileSync(
      ssh,
      `#!/bin/sh
echo "$@" >> ${join(folder, 'words')}
exec ${process.execPath} -e 'const s = require("net").connect(${JSON.stringify(socketPath)}); process.stdin.pipe(s); s.pipe(process.stdout); s.on("close", () => process.exit(0))'
`,
    );
    chmodSync(ssh, 0o755);
    const before = process.env.PATH;
    process.env.PATH = `${folder}:${before}`;
    try {
      await builds({}, 'ssh://me@builder.example:2222');
    } finally {
      process.env.PATH = before;
    }
    assert.match(
      readFileSync(join(folder, 'words'), 'utf8'),
      /-p 2222 -l me -- builder\.example docker system dial-stdio/,
    );
  });
});
