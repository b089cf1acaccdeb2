import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { dockerArchiveOf, type ReadOptions } from '../../../image/index.ts';
import { EngineError } from '../../errors.ts';
import type { NamedImage, OpenedImages, PutOptions } from '../../types.ts';
import type { Connection } from '../connection/connection.ts';
import { readProgress } from '../connection/progress.ts';
import type { Images } from './images.ts';
import { SavedImages } from './saved.ts';

/** What reading and writing images as data needs. */
export interface ExchangeOptions {
  readonly connection: Connection;
  readonly images: Images;
  /** An existing folder for temporary files. */
  readonly temporary: string;
}

/**
 * As `read` of the engine's contract. Images are fetched in one archive, which is kept in files until they
 * are closed.
 */
export async function readImages(
  { connection, images, temporary }: ExchangeOptions,
  references: readonly string[],
  { onBytes, signal }: ReadOptions,
): Promise<OpenedImages> {
  const held = await Promise.all(
    references.map(async (name) => ((await images.inspect(name)) === undefined ? [] : [name])),
  );
  const names = held.flat();
  if (names.length === 0) return { image: async () => undefined, close: async () => {} };
  const query = names.map((name) => `names=${encodeURIComponent(name)}&`).join('');
  const archive = await connection.stream('GET', `/images/get?${query}`, { signal });
  const saved = await SavedImages.take(archive, temporary, onBytes, signal);
  return {
    image: async (name) => (names.includes(name) ? await saved.image(name) : undefined),
    close: () => saved.close(),
  };
}

/**
 * As `write` of the engine's contract. Images are sent in one archive. Those that had the names before lose
 * them.
 */
export async function writeImages(
  { connection, images, temporary }: ExchangeOptions,
  given: readonly NamedImage[],
  { onBytes, signal }: PutOptions,
): Promise<void> {
  if (given.length === 0) return;
  const folder = await mkdtemp(join(temporary, 'load-'));
  const broken = new AbortController();
  try {
    const upload = Readable.from(counted(dockerArchiveOf(given, folder, signal), onBytes));
    // The transport ignores errors of the stream that it sends.
    upload.on('error', (error) => broken.abort(error));
    const stream = await connection.stream('POST', '/images/load', {
      query: { quiet: '1' },
      upload,
      headers: { 'Content-Type': 'application/x-tar' },
      signal: signal === undefined ? broken.signal : AbortSignal.any([signal, broken.signal]),
    });
    await readProgress(stream);
  } catch (error) {
    signal?.throwIfAborted();
    throw broken.signal.aborted ? broken.signal.reason : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  for (const { name, image } of given) {
    const { layers } = await images.made(name);
    const { diff_ids: meant } = (await image.configuration()).rootfs;
    if (layers.join() !== meant.join())
      throw new EngineError(`the engine has other layers under ${name} than were sent`);
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: ((count: number) => void) | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    yield chunk;
    onBytes?.(chunk.length);
  }
}
