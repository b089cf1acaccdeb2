import type { Place } from './reference.ts';
import { rootfsImage } from './rootfs.ts';
import { type Image, ImageError, type ReadOptions } from './types.ts';

/** A place that is a path. */
export type PathPlace = Exclude<Place, { readonly kind: 'name' }>;

/** An image that is open to be read. */
export interface OpenedImage {
  readonly image: Image;
  /** Lets go of files. Safe to call twice. */
  close(): Promise<void>;
}

/** Opens the image at a path. Rejects with an ImageError where there is none. */
export async function openPath(place: PathPlace, options: ReadOptions = {}): Promise<OpenedImage> {
  if (place.kind === 'rootfs')
    return { image: await rootfsImage(place.path, options), close: () => Promise.resolve() };
  throw new ImageError(`images cannot be read from ${place.kind}: yet`);
}
