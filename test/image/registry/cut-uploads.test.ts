import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { digestOf, Registry } from '../../../src/image/index.ts';
import { makeImage, testClock } from './support.ts';

/** A piece of an upload as it came. */
interface Piece {
  readonly method: string;
  /** Which of the places that were given it was sent to. */
  readonly place: number;
  /** `Content-Range`, where there was one. */
  readonly range: string | undefined;
  /** The offset at which its bytes were put, and how many were kept. */
  readonly at: number;
  readonly kept: number;
}

/** How a registry of uploads in pieces behaves. */
interface Behaviour {
  /** Bytes of uploads, in all, behind which connections are cut: each once. */
  readonly cuts?: readonly number[];
  /** Whether it forgets an upload that was cut. */
  readonly forgets?: boolean;
  /** What else it answers. */
  readonly header?: Readonly<Record<string, string>>;
}

/** A registry in memory that keeps what it got before a cut, and counts. */
async function countingRegistry(behaviour: Behaviour) {
  const pieces: Piece[] = [];
  const blobs = new Map<string, Buffer>();
  const problems: string[] = [];
  let asked = 0;
  let begun = 0;
  let place = 0;
  let upload: Buffer | undefined;
  let cuts = [...(behaviour.cuts ?? [])];
  /** Each answer leads to another place, the only one that is good from then on. */
  const lead = (response: ServerResponse, status: number): void => {
    place++;
    const size = upload?.length ?? 0;
    response.writeHead(status, {
      location: `/v2/a/blobs/uploads/u?place=${place}`,
      range: `0-${Math.max(0, size - 1)}`,
      ...behaviour.header,
    });
    response.end();
  };
  const take = async (request: IncomingMessage): Promise<boolean> => {
    const { method = '', url = '' } = request;
    const range = request.headers['content-range'];
    const at = upload?.length ?? 0;
    const sentTo = Number(new URL(url, 'http://x').searchParams.get('place'));
    if (sentTo !== place) problems.push(`${method} to place ${sentTo}, and ${place} was given`);
    let kept = 0;
    let isCut = false;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        const [next = Number.POSITIVE_INFINITY] = cuts;
        const size = upload?.length ?? 0;
        const part = chunk.subarray(0, Math.max(0, next - size));
        upload = Buffer.concat([upload ?? Buffer.alloc(0), part]);
        kept += part.length;
        if (size + chunk.length < next) continue;
        cuts = cuts.slice(1);
        isCut = true;
        break;
      }
    } catch {
      isCut = true;
    }
    pieces.push({ method, place: sentTo, range, at, kept });
    if (isCut && behaviour.forgets === true) upload = undefined;
    return !isCut;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url = '', socket } = request;
    const { pathname, searchParams } = new URL(url, 'http://x');
    const name = pathname.slice(pathname.lastIndexOf('/') + 1);
    if (method === 'HEAD') response.writeHead(blobs.has(name) ? 200 : 404).end();
    else if (method === 'POST') {
      begun++;
      upload = Buffer.alloc(0);
      lead(response, 202);
    } else if (method === 'GET' && pathname.includes('/uploads/')) {
      asked++;
      if (upload === undefined) response.writeHead(404).end();
      else lead(response, 204);
    } else if (pathname.includes('/manifests/')) {
      request.resume().on('end', () => response.writeHead(201).end());
    } else {
      const from = Number(/^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? upload?.length);
      if (from !== upload?.length) {
        problems.push(`a piece from ${from} where ${upload?.length} bytes are`);
        response.writeHead(416).end();
      } else if (!(await take(request))) socket.destroy();
      else if (method === 'PATCH') lead(response, 202);
      else {
        const digest = searchParams.get('digest') ?? '';
        if (digestOf(upload) !== digest) problems.push(`${digest} is something else`);
        blobs.set(digest, upload);
        response.writeHead(201).end();
      }
    }
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    pieces,
    blobs,
    problems,
    counts: () => ({ asked, begun }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** One layer of 1 000 000 bytes and more, pushed alone: the registry has the configuration already. */
async function push(behaviour: Behaviour, chunkSize?: number) {
  const image = await makeImage([1_000_000]);
  const [layer] = await image.layers();
  assert.ok(layer);
  const { digest, size } = await layer.descriptor();
  const registry = await countingRegistry(behaviour);
  registry.blobs.set(digestOf(await image.rawConfiguration()), Buffer.alloc(0));
  try {
    const client = new Registry({
      clock: testClock(),
      ...(chunkSize === undefined ? {} : { chunkSize }),
    });
    await client.write(`${registry.host}/a:1`, image);
  } finally {
    registry.close();
  }
  assert.deepEqual(registry.problems, []);
  assert.equal(registry.blobs.get(digest)?.length, size);
  const taken = registry.pieces.reduce((sum, { kept }) => sum + kept, 0);
  return { ...registry, size, taken };
}

describe('an upload that is cut goes on where the registry is', () => {
  test('in pieces: in the middle of one, twice in one, and at its end', async () => {
    const { pieces, size, taken, counts } = await push(
      { cuts: [450_000, 650_000, 700_000, 900_000] },
      300_000,
    );
    assert.equal(taken, size, 'no byte is taken twice');
    assert.deepEqual(
      pieces.filter(({ method }) => method === 'PATCH').map(({ range }) => range),
      [
        '0-299999',
        '300000-599999',
        '450000-599999',
        '600000-899999',
        '650000-899999',
        '700000-899999',
        `900000-${size - 1}`,
      ],
    );
    assert.deepEqual(counts(), { asked: 4, begun: 1 });
  });

  test('in one: the rest goes in pieces', async () => {
    const { pieces, size, taken, counts } = await push({ cuts: [400_000] });
    assert.equal(taken, size);
    assert.deepEqual(
      pieces.map(({ method, range, at }) => ({ method, range, at })),
      [
        { method: 'PUT', range: undefined, at: 0 },
        { method: 'PATCH', range: `400000-${size - 1}`, at: 400_000 },
        { method: 'PUT', range: undefined, at: size },
      ],
    );
    assert.deepEqual(counts(), { asked: 1, begun: 1 });
  });

  test('where the registry has forgotten it, it begins anew', async () => {
    const { pieces, counts } = await push({ cuts: [450_000], forgets: true }, 300_000);
    assert.deepEqual(
      pieces.filter(({ method }) => method === 'PATCH').map(({ range }) => range?.split('-')[0]),
      ['0', '300000', '0', '300000', '600000', '900000'],
    );
    assert.deepEqual(counts(), { asked: 1, begun: 2 });
  });

  test('pieces are as long as the registry wants them to be', async () => {
    const header = { 'oci-chunk-min-length': '400000' };
    const { pieces } = await push({ header }, 300_000);
    assert.deepEqual(pieces.map(({ kept }) => kept).slice(0, 2), [400_000, 400_000]);
  });
});
