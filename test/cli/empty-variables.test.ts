import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import test from 'node:test';
import { engineSettings } from '../../src/library/index.ts';
import { cli } from '../support/cli.ts';

test('an empty variable counts as one that is not set', () => {
  const names = [
    ...['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_CONFIG'],
    ...['CONTAINER_HOST', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR'],
  ];
  const empty = Object.fromEntries(names.map((name) => [name, '']));
  const read = (env: Record<string, string>) => ({ ...engineSettings(env, '/home/u'), environment: {} });
  assert.deepEqual(read(empty), read({}));
  const secure = engineSettings({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '' }, '/home/u');
  assert.equal(secure.certificates, '/home/u/.docker');
});

test('without HOME, or with an empty one, the home folder is that of the user', async () => {
  const address = `native:${userInfo().homedir}/.local/share/luet-ts/store`;
  for (const env of [{ HOME: '' }, { HOME: '', XDG_DATA_HOME: '', XDG_STATE_HOME: '', XDG_CACHE_HOME: '' }]) {
    const { stdout, stderr } = await cli(['engine', '--engine', 'native'], { env });
    assert.ok(`${stdout}${stderr}`.includes(address), `${stdout}${stderr}`);
  }
});
