import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { Registry, RegistryError, type RetryClock } from '../../../src/image/index.ts';
import { testClock } from './support.ts';

/** A clock that notes that somebody wanted to wait. */
function watchedClock(onWait: () => void = () => {}): RetryClock & { waits: number } {
  const clock = {
    ...testClock(),
    waits: 0,
    sleep: async () => {
      clock.waits++;
      onWait();
    },
  };
  return clock;
}

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

test('where nobody listens, or no name leads, the reason is told at once', async () => {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  for (const [name, says] of [
    [`127.0.0.1:${port}/a:1`, /cannot be reached: .*ECONNREFUSED/],
    ['no-such-name.invalid/a:1', /cannot be reached: .*(?:ENOTFOUND|EAI_AGAIN)/],
    ['127.0.0.1:1/a:1', /cannot be reached: bad port/],
  ] as const) {
    const clock = watchedClock();
    await assert.rejects(new Registry({ clock }).image(name), (error) => {
      assert.ok(error instanceof RegistryError, String(error));
      assert.match(error.message, says);
      assert.match(error.hint ?? '', /Check the network/);
      return true;
    });
    assert.equal(clock.waits, 0, name);
  }
});

test('a registry that has answered is waited for when it goes away', async () => {
  const server = createServer((_, response) => response.writeHead(503).end());
  const port = await listening(server);
  const clock = watchedClock(() => {
    server.closeAllConnections();
    server.close();
  });
  await assert.rejects(new Registry({ clock }).image(`127.0.0.1:${port}/a:1`), RegistryError);
  assert.ok(clock.waits > 1);
});
