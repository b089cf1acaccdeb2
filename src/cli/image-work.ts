import type { Image } from '../image/index.ts';
import type { Compression } from '../tar/index.ts';
import type { CliContext } from './context.ts';
import { within } from './interrupt.ts';
import { type PlaceFlags, Places, platformOf, type Where } from './places.ts';
import type { Transfers } from './progress/transfers.ts';
import type { Workplace } from './workplace.ts';

/** Flags as the command line gives them: the platform as text. */
export type PlaceWords = Omit<PlaceFlags, 'platform'> & { readonly platform?: string };

/** What commands on images work with. */
export interface ImageWork {
  readonly places: Places;
  readonly transfers: Transfers;
  readonly workplace: Workplace;
  readonly context: CliContext;
}

/** How long an interrupted transfer may take to remove what it began, in milliseconds. */
const PATIENCE = 800;

/** Does work on images, in folders of this run, and leaves nothing open behind it. */
export async function imageWork(
  { platform, ...flags }: PlaceWords,
  context: CliContext,
  work: (tools: ImageWork) => Promise<void>,
): Promise<void> {
  const [{ openWorkplace }, { createTransfers }] = await Promise.all([
    import('./workplace.ts'),
    import('./progress/transfers.ts'),
  ]);
  const wanted = await platformOf(platform);
  const workplace = openWorkplace(context);
  const places = new Places(
    { ...flags, ...(wanted === undefined ? {} : { platform: wanted }) },
    context,
    workplace,
  );
  const transfers = createTransfers(context, () => performance.now());
  try {
    await within(work({ places, transfers, workplace, context }), context.signal, PATIENCE);
  } catch (error) {
    const { withElsewhere } = await import('./elsewhere.ts');
    throw await withElsewhere(error, await places.opened(), context, workplace);
  } finally {
    transfers.end();
    await places.close();
    workplace.close();
  }
}

/**
 * An image as it is sent to registries: engines hand out plain layers, which every registry would keep as
 * they are.
 */
async function compressed(
  image: Image,
  compression: Exclude<Compression, 'none'>,
  { workplace, context: { signal } }: ImageWork,
): Promise<Image> {
  const [{ compressImage }, { mkdtemp }, { join }] = await Promise.all([
    import('../image/index.ts'),
    import('node:fs/promises'),
    import('node:path'),
  ]);
  return await compressImage(image, compression, await mkdtemp(join(workplace.temporary, 'push-')), signal);
}

/**
 * Writes an image to a place; for a registry its plain layers are compressed, with gzip where nothing else is
 * asked for.
 */
export async function writeCompressed(
  tools: ImageWork,
  to: Where,
  image: Image,
  compression: Compression | undefined,
  onBytes?: (count: number) => void,
): Promise<void> {
  const form = compression ?? 'gzip';
  const sent = to.kind === 'registry' && form !== 'none' ? await compressed(image, form, tools) : image;
  await tools.places.write(to, sent, onBytes === undefined ? {} : { onBytes });
}

/**
 * Copies an image from the place of a word to another, with progress; With `isHeld`, the engine has the
 * image, and no registry is asked for it.
 */
export async function transfer(
  tools: ImageWork,
  from: string,
  to: Where,
  [doing, done]: readonly [doing: string, done: string],
  compression?: Compression,
  isHeld = false,
): Promise<void> {
  const { places, transfers } = tools;
  // First of all, because a native engine may have to start this process again.
  if (to.kind === 'engine') await places.engine();
  const one = transfers.begin(from, doing);
  try {
    // Bytes are counted where they come from; where that is a file of this machine, where they go.
    const isFar = to.kind === 'registry';
    const opened = await places.open(from, isFar ? () => {} : one.onBytes, isHeld);
    try {
      await writeCompressed(tools, to, opened.image, compression, isFar ? one.onBytes : undefined);
      one.done(done);
    } finally {
      await opened.close();
    }
  } finally {
    one.fail();
  }
}
