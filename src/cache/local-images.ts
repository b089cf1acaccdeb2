import { digestOf, ImageError, openPath, type PathPlace } from '../image/index.ts';
import type { BaseImage } from '../resolve/index.ts';
import type { HoldOptions } from './base-images.ts';

/** Under which repository images that lie in trees are kept in an engine, by their configurations' digests. */
const REPOSITORY = 'luet/base';

/** Reads what an image in a tree is. Rejects with an `ImageError` or an error of the file system. */
export async function readLocalImage(
  reference: string,
  at: PathPlace,
  signal: AbortSignal,
): Promise<BaseImage> {
  const opened = await openPath(at, { signal });
  try {
    const { image } = opened;
    const { os, architecture, variant, created, config, rootfs } = await image.configuration();
    const time = Date.parse(created ?? '');
    const digest = digestOf(await image.rawConfiguration());
    return {
      reference,
      name: `${REPOSITORY}:${digest.slice('sha256:'.length)}`,
      at,
      layers: rootfs.diff_ids,
      config: { env: config?.Env ?? [], os, architecture, variant: variant ?? '' },
      created: Number.isNaN(time) ? 0 : Math.floor(time / 1000),
    };
  } finally {
    await opened.close();
  }
}

/** Puts an image that lies in a tree into an engine where it is not there; the name under which it is. */
export async function putLocalImage(
  base: BaseImage & { readonly at?: PathPlace },
  { engine, keepImages, runId, signal }: HoldOptions,
): Promise<string> {
  const { name, layers, at } = base;
  if (at === undefined) throw new Error(`image ${base.reference} does not lie in a tree`);
  const there = await engine.resolve(name, { pull: false, signal });
  if (there !== undefined && there.layers.join() === layers.join()) return name;
  const digest = name.slice(REPOSITORY.length + 1);
  const own = keepImages ? name : `${REPOSITORY}:tmp-${runId}-${digest.slice(0, 16)}`;
  const opened = await openPath(at, { signal });
  try {
    const found = digestOf(await opened.image.rawConfiguration());
    if (found !== `sha256:${digest}`)
      throw new ImageError(`image ${base.reference} has changed since the plan was made: build again`);
    await engine.write([{ name: own, image: opened.image }], { temporary: !keepImages, signal });
    return own;
  } finally {
    await opened.close();
  }
}
