import { digestOf, type Image, ImageError, openPath, type PathLocation } from '../image/index.ts';
import type { BaseImage } from '../resolve/index.ts';
import type { HoldOptions } from './base-images.ts';

/** The repository in an engine for images that lie in trees; tags are digests of their configurations. */
const REPOSITORY = 'luet/base';

/** Describes an image that is in no engine and no registry, under the name that it gets in an engine. */
export async function describeImage(reference: string, image: Image, at?: PathLocation): Promise<BaseImage> {
  const { os, architecture, variant, created, config, rootfs } = await image.configuration();
  const time = Date.parse(created ?? '');
  const digest = digestOf(await image.rawConfiguration());
  return {
    reference,
    name: `${REPOSITORY}:${digest.slice('sha256:'.length)}`,
    ...(at === undefined ? {} : { at }),
    layers: rootfs.diff_ids,
    config: { env: config?.Env ?? [], os, architecture, variant: variant ?? '' },
    created: Number.isNaN(time) ? 0 : Math.floor(time / 1000),
  };
}

/** Reads and describes an image in a tree. Rejects with an `ImageError`. */
export async function readLocalImage(
  reference: string,
  at: PathLocation,
  signal: AbortSignal,
): Promise<BaseImage> {
  const opened = await openPath(at, { signal });
  try {
    return await describeImage(reference, opened.image, at);
  } finally {
    await opened.close();
  }
}

/** What is needed to put images into an engine. */
export type PutOptions = Pick<HoldOptions, 'engine' | 'keepImages' | 'runId' | 'signal'>;

/**
 * Puts an image into an engine unless it is there, and resolves to its name there. `open` is called where it
 * must be put, with a function that puts it. Rejects with an `ImageError` where the image is not the one that
 * was described.
 */
export async function putImage(
  { name, layers, reference }: BaseImage,
  { engine, keepImages, runId, signal }: PutOptions,
  open: (put: (image: Image) => Promise<void>) => Promise<void>,
): Promise<string> {
  const there = await engine.resolve(name, { pull: false, signal });
  if (there !== undefined && there.layers.join() === layers.join()) return name;
  const digest = name.slice(REPOSITORY.length + 1);
  const own = keepImages ? name : `${REPOSITORY}:tmp-${runId}-${digest.slice(0, 16)}`;
  await open(async (image) => {
    if (digestOf(await image.rawConfiguration()) !== `sha256:${digest}`)
      throw new ImageError(`image ${reference} has changed since the plan was made: build again`);
    await engine.write([{ name: own, image }], { temporary: !keepImages, signal });
  });
  return own;
}

/** Puts an image that lies in a tree into an engine unless it is there, and resolves to its name there. */
export async function putLocalImage(base: BaseImage, options: PutOptions): Promise<string> {
  const { at } = base;
  if (at === undefined) throw new Error(`image ${base.reference} does not lie in a tree`);
  return putImage(base, options, async (put) => {
    const opened = await openPath(at, { signal: options.signal });
    try {
      await put(opened.image);
    } finally {
      await opened.close();
    }
  });
}
