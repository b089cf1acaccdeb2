import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import test from 'node:test';
import fc from 'fast-check';
import { quoteForShell, Shell } from '../../../src/engine/docker/container/shell.ts';

const TOKEN = 'f00dfacef00dfacef00dfacef00dface';

/** One frame of the API's attached stream. */
function frame(stream: 1 | 2, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(data.length, 4);
  return Buffer.concat([head, data]);
}

/** A connection whose far side answers what it is given, cut into pieces. */
function connection(answer: readonly Buffer[]): Duplex {
  let begun = false;
  const duplex = new Duplex({
    read() {},
    write(_, __, done) {
      if (!begun) for (const piece of answer) duplex.push(piece);
      begun = true;
      done();
    },
  });
  return duplex;
}

test('output is told from its end, wherever frames and pieces are cut', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(Buffer.from(TOKEN.slice(0, 20))),
    fc.constant(Buffer.from(TOKEN.slice(0, 31))),
  );
  await fc.assert(
    fc.asyncProperty(
      bytes,
      bytes,
      fc.nat(255),
      fc.array(fc.nat({ max: 30 }), { maxLength: 30 }),
      async (out, err, code, cuts) => {
        const split = (stream: 1 | 2, data: Buffer): Buffer[] => {
          const frames: Buffer[] = [];
          let at = 0;
          for (const cut of cuts) {
            if (cut > 0 && at < data.length) frames.push(frame(stream, data.subarray(at, at + cut)));
            at += cut;
          }
          if (at < data.length) frames.push(frame(stream, data.subarray(at)));
          return frames;
        };
        const all = Buffer.concat([
          ...split(1, Buffer.concat([out, Buffer.from(`${TOKEN}${code};`)])),
          ...split(2, Buffer.concat([err, Buffer.from(`${TOKEN};`)])),
        ]);
        const pieces: Buffer[] = [];
        for (let at = 0, i = 0; at < all.length; i++) {
          const length = (cuts[i % Math.max(1, cuts.length)] ?? 7) + 1;
          pieces.push(all.subarray(at, at + length));
          at += length;
        }
        const shell = new Shell(connection(pieces), TOKEN, '/');
        const got = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
        assert.equal(await shell.run('x', (stream, chunk) => got[stream].push(chunk)), code);
        assert.deepEqual(Buffer.concat(got.stdout), Buffer.from(out));
        assert.deepEqual(Buffer.concat(got.stderr), Buffer.from(err));
        shell.destroy();
      },
    ),
    { numRuns: 200 },
  );
});

test('a connection that ends in the middle of a command is an error', async () => {
  const stream = connection([frame(1, Buffer.from('half'))]);
  const shell = new Shell(stream, TOKEN, '/');
  const running = shell.run('x', () => {});
  stream.push(null);
  await assert.rejects(running, /the container ended/);
  await assert.rejects(
    shell.run('y', () => {}),
    /the container ended/,
  );
});

test('any text is one word of a shell', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 60 }), async (text) => {
      fc.pre(!text.includes('\0'));
      const child = spawn('/bin/sh', ['-c', `printf %s ${quoteForShell(text)}`]);
      const chunks: Buffer[] = [];
      for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
      assert.equal(Buffer.concat(chunks).toString(), text);
    }),
    { numRuns: 40 },
  );
});
