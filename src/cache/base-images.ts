import { PromiseCache } from '../async/index.ts';
import type { Diagnostic, Place } from '../diagnostic/index.ts';
import { FileError } from '../disk/index.ts';
import { type Engine, EngineError, type ImageInfo } from '../engine/index.ts';
import { ImageError } from '../image/index.ts';
import { isLocalImage, locateImage } from '../plan/index.ts';
import { type BaseImage, baseKey, type FindBaseImage, type FoundBaseImage } from '../resolve/index.ts';
import { SCRATCH } from '../spec/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { putLocalImage, readLocalImage } from './local-images.ts';
import { putScratchImage, scratchImage } from './scratch.ts';

/** What is needed to look up base images. */
export interface BaseImageOptions {
  /** Its platform is that of the empty root; this machine's where it does not say. */
  readonly engine: Pick<Engine, 'resolve'> & Partial<Pick<Engine, 'report'>>;
  readonly signal: AbortSignal;
}

/**
 * Looks up images from outside: the empty root, images that lie in trees by their paths, and others in the
 * engine, which pulls them where it does not hold them. Each is looked up once. Rejects with an `EngineError`
 * where the engine failed, and on an abort.
 */
export function baseImageFinder({ engine, signal }: BaseImageOptions): FindBaseImage {
  const found = new PromiseCache<string, BaseImage | string>((error) => error instanceof EngineError);
  const empty = new PromiseCache<string, BaseImage>((error) => error instanceof EngineError);
  return async (reference, asker, place) => {
    if (reference === SCRATCH)
      return { ok: true, image: await empty.get(SCRATCH, () => scratchImage(engine)) };
    if (isLocalImage(reference)) return localImage(reference, asker, place, signal);
    const image = await found.get(reference, () => resolved(engine, reference, signal));
    if (typeof image !== 'string') return { ok: true, image };
    return failed(asker, place, {
      code: 'no-such-image',
      message: `image ${reference} cannot be fetched: ${image}`,
    });
  };
}

/** An image as the engine resolves it, or a reason why it does not. */
async function resolved(
  engine: Pick<Engine, 'resolve'>,
  reference: string,
  signal: AbortSignal,
): Promise<BaseImage | string> {
  try {
    const info = await engine.resolve(reference, { signal });
    if (info === undefined) return 'the engine does not hold it and cannot pull it';
    return baseImage(reference, info);
  } catch (error) {
    signal.throwIfAborted();
    // The store is in a place that cannot be used.
    const isOfStore =
      error instanceof EngineError && (error.kind !== 'other' || error.cause instanceof FileError);
    if (isOfStore) throw error;
    return (error as Error).message.trim();
  }
}

const baseImage = (
  reference: string,
  { reference: name, layers, config, created }: ImageInfo,
): BaseImage => ({
  reference,
  name,
  layers,
  config,
  created,
});

async function localImage(
  reference: string,
  asker: TreePackage,
  place: Place | undefined,
  signal: AbortSignal,
): Promise<FoundBaseImage> {
  const located = locateImage(reference, asker);
  if (!located.ok) {
    const { ok: _, ...problem } = located;
    return failed(asker, place, problem);
  }
  try {
    return { ok: true, image: await readLocalImage(reference, located.at, signal) };
  } catch (error) {
    signal.throwIfAborted();
    const isMeant = error instanceof ImageError;
    if (!isMeant) throw error;
    const message = `image ${reference} cannot be read: ${(error as Error).message}`;
    return failed(asker, place, { code: 'no-such-image', message });
  }
}

function failed(
  asker: TreePackage,
  place: Place | undefined,
  problem: Pick<Diagnostic, 'code' | 'message' | 'hint' | 'advice'>,
): FoundBaseImage {
  const diagnostic: Diagnostic = {
    severity: 'error',
    ...problem,
    package: asker.key,
    ...(place === undefined ? {} : { place }),
  };
  return { ok: false, diagnostics: [diagnostic] };
}

/** A base image of a plan is not what the plan says, or is not there any more. */
export class BaseImageError extends Error {
  override readonly name = 'BaseImageError';
  /** The code of a finding. */
  readonly code: 'no-such-image' | 'image-lost';

  constructor(code: BaseImageError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** What is needed to bring base images into an engine. */
export interface HoldOptions {
  readonly engine: Pick<Engine, 'resolve' | 'write'>;
  /** Whether images that are put into the engine stay there when the run ends. */
  readonly keepImages: boolean;
  readonly runId: string;
  readonly signal: AbortSignal;
}

/**
 * Brings a plan's base image into the engine, and resolves to the name by which the engine opens it. Rejects
 * with a `BaseImageError` where it is not found, or where its name means another image now: everything built
 * on that would have wrong keys.
 */
export async function holdBaseImage(image: BaseImage, options: HoldOptions): Promise<string> {
  if (image.reference === SCRATCH) return putScratchImage(image, options);
  if (image.at !== undefined) return putLocalImage(image, options);
  const { engine, signal } = options;
  const { reference } = image;
  const now = await engine.resolve(reference, { signal });
  if (now === undefined)
    throw new BaseImageError('no-such-image', `image ${reference} not found in the engine`);
  if (baseKey(now) !== baseKey(image))
    throw new BaseImageError(
      'image-lost',
      `image ${reference} has changed since the plan was made: build again`,
    );
  return now.reference;
}
