import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import fc from 'fast-check';
import { type ProgressMessage, readProgress } from '../../../src/engine/docker/connection/progress.ts';

async function read(pieces: readonly Buffer[]): Promise<ProgressMessage[]> {
  const messages: ProgressMessage[] = [];
  await readProgress(Readable.from(pieces, { objectMode: false }), (message) => messages.push(message));
  return messages;
}

test('messages are read wherever the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ status: fc.string({ unit: 'grapheme' }) }, { noNullPrototype: true }), {
        maxLength: 8,
      }),
      fc.integer({ min: 1, max: 9 }),
      async (messages, size) => {
        const all = Buffer.from(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(''));
        const pieces: Buffer[] = [];
        for (let at = 0; at < all.length; at += size) pieces.push(all.subarray(at, at + size));
        assert.deepEqual(await read(pieces), messages);
      },
    ),
  );
});

test('an error inside of an answer is an error', async () => {
  await assert.rejects(
    read([Buffer.from('{"status":"x"}\n{"errorDetail":{"message":"no such image"},"error":"old"}\n')]),
    /no such image/,
  );
  await assert.rejects(read([Buffer.from('{"error":"denied"}')]), /denied/);
});

test('a stream that ends in the middle of a message is an error', async () => {
  await assert.rejects(read([Buffer.from('{"status":"x"}\n{"status":"pul')]), /ended in the middle/);
});

test('a connection that breaks is an error', async () => {
  const stream = Readable.from(
    (async function* () {
      yield Buffer.from('{"status":"x"}\n');
      throw new Error('socket hang up');
    })(),
  );
  await assert.rejects(readProgress(stream), /socket hang up/);
});
