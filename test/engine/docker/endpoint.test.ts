import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { parseEndpoint } from '../../../src/engine/docker/connection/endpoint.ts';
import { registryAuth, registryOf } from '../../../src/image/index.ts';

test('addresses of engines', () => {
  const cases: readonly (readonly [string, object])[] = [
    ['unix:///run/x.sock', { kind: 'unix', address: 'unix:///run/x.sock', path: '/run/x.sock' }],
    ['/run/x.sock', { kind: 'unix', address: 'unix:///run/x.sock', path: '/run/x.sock' }],
    ['tcp://h:2375', { kind: 'tcp', address: 'tcp://h:2375', host: 'h', port: 2375 }],
    ['tcp://[::1]:99', { kind: 'tcp', address: 'tcp://[::1]:99', host: '::1', port: 99 }],
    ['tcp://h', { kind: 'tcp', address: 'tcp://h', host: 'h', port: 2375 }],
    ['https://h', { kind: 'tcp', address: 'https://h', host: 'h', port: 2376, tls: {} }],
    ['ssh://me@h:22', { kind: 'ssh', address: 'ssh://me@h:22', host: 'h', user: 'me', port: 22 }],
    ['ssh://h', { kind: 'ssh', address: 'ssh://h', host: 'h' }],
  ];
  for (const [address, endpoint] of cases)
    assert.deepEqual(parseEndpoint(address, undefined), endpoint, address);
  assert.deepEqual(parseEndpoint('tcp://h', { ca: 'x' }), {
    kind: 'tcp',
    address: 'tcp://h',
    host: 'h',
    port: 2376,
    tls: { ca: 'x' },
  });
  for (const wrong of ['', 'nonsense', 'unix://relative', 'ftp://h', 'npipe:////./pipe/x'])
    assert.equal(typeof parseEndpoint(wrong, undefined), 'string', wrong);
});

test('the registry that a reference names', () => {
  for (const [reference, registry] of [
    ['debian:12', 'https://index.docker.io/v1/'],
    ['library/debian', 'https://index.docker.io/v1/'],
    ['docker.io/library/debian', 'https://index.docker.io/v1/'],
    ['localhost/x', 'localhost'],
    ['127.0.0.1:5000/a/b:1', '127.0.0.1:5000'],
    ['index.docker.io/library/debian', 'https://index.docker.io/v1/'],
    ['registry.example.org/a@sha256:00', 'registry.example.org'],
  ] as const)
    assert.equal(registryOf(reference), registry, reference);
});

test('credentials come from the file of the Docker command line, in the form that engines read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-auth-'));
  try {
    assert.equal(await registryAuth('a.example/x', { folder }), undefined);
    const auth = Buffer.from('me:se:cret>>>???').toString('base64');
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { 'a.example': { auth } } }));
    const header = await registryAuth('a.example/x:1', { folder });
    // URL-safe base64 with padding.
    assert.match(header ?? '', /^[\w-]+={0,2}$/);
    assert.equal((header?.length ?? 1) % 4, 0);
    const found = JSON.parse(Buffer.from(header ?? '', 'base64url').toString()) as object;
    assert.deepEqual(found, { username: 'me', password: 'se:cret>>>???', serveraddress: 'a.example' });
    assert.equal(await registryAuth('b.example/x', { folder }), undefined);
    writeFileSync(join(folder, 'config.json'), 'not json');
    await assert.rejects(registryAuth('a.example/x', { folder }), /config\.json:1:1: invalid JSON/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
