import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Images } from '../../../src/engine/docker/images/images.ts';
import { isNative } from '../../support/engine.ts';
import { freePort } from '../../support/registry.ts';
import { rawEngine } from '../../support/site.ts';

test('a pull that fails tells of a credential helper that has failed before', {
  skip: isNative && 'native pulls by itself',
}, async () => {
  const dockerConfig = mkdtempSync(join(tmpdir(), 'luet-ts-auth-'));
  const connection = await rawEngine();
  try {
    writeFileSync(join(dockerConfig, 'config.json'), '{"credsStore":"luet-ts-none"}');
    const keychain = { folder: dockerConfig };
    const images = new Images({ connection, keychain, isPodman: false, runId: 'test' });
    const helper = /; credential helper docker-credential-luet-ts-none .*: not found in PATH$/;
    await assert.rejects(images.resolve(`127.0.0.1:${await freePort()}/a/b:1`), helper);
  } finally {
    connection.close();
    rmSync(dockerConfig, { recursive: true });
  }
});
