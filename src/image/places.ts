import { stat } from 'node:fs/promises';
import { FileError, reading } from '../disk/index.ts';
import { dockerArchive } from './layout/docker.ts';
import { ociArchive, ociLayout } from './layout/oci.ts';
import { ociArchiveSink } from './layout/oci-write.ts';
import { rootfsImage, rootfsSink } from './layout/rootfs.ts';
import { formatReference, type ImageLocation } from './reference.ts';
import { type Descriptor, type Image, ImageError, type ReadOptions, type WriteOptions } from './types.ts';

/** An image location that is a path. */
export type PathLocation = Exclude<ImageLocation, { readonly kind: 'name' }>;

/** An image that is open for reading. */
export interface OpenedImage {
  readonly image: Image;
  /** Closes its files. Can be called twice. */
  close(): Promise<void>;
}

/** Opens the image at a path. Rejects with an ImageError if there is none, or the path cannot be read. */
export async function openPath(place: PathLocation, options: ReadOptions = {}): Promise<OpenedImage> {
  const image = await withImageErrors(async () => {
    await reading(place.path, () => stat(place.path));
    return await find(place, options);
  });
  if (image !== undefined) return { image, close: () => Promise.resolve() };
  const name =
    place.kind === 'docker-archive'
      ? place.name && formatReference(place.name)
      : place.kind !== 'rootfs' && place.tag;
  const which = name ? ` named ${JSON.stringify(name)}` : '';
  throw new ImageError(`image${which} not found in ${JSON.stringify(place.path)}`);
}

function find(place: PathLocation, options: ReadOptions): Promise<Image | undefined> {
  if (place.kind === 'rootfs') return rootfsImage(place.path, options);
  if (place.kind === 'oci') return ociLayout(place.path).image(place.tag ?? '', options);
  if (place.kind === 'oci-archive') return ociArchive(place.path).image(place.tag ?? '', options);
  return dockerArchive(place.path).image(
    place.name === undefined ? '' : formatReference(place.name),
    options,
  );
}

/**
 * Writes an image to a path. Readers never see a partial image. Rejects with an ImageError if it cannot be
 * written.
 */
export function writePath(
  place: PathLocation,
  image: Image,
  options: WriteOptions = {},
): Promise<Descriptor> {
  return withImageErrors(() => write(place, image, options));
}

function write(place: PathLocation, image: Image, options: WriteOptions): Promise<Descriptor> {
  if (place.kind === 'rootfs') return rootfsSink(place.path, owners()).write('', image, options);
  if (place.kind === 'oci') return ociLayout(place.path).write(place.tag ?? '', image, options);
  if (place.kind === 'oci-archive') return ociArchiveSink(place.path).write(place.tag ?? '', image, options);
  const name = place.name === undefined ? '' : formatReference(place.name);
  return dockerArchive(place.path).write(name, image, options);
}

/** Runs work with a path, and converts disk errors to ImageErrors. */
async function withImageErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ImageError(error.message, { cause: error, hint: error.hint });
  }
}

/**
 * What this process can create: root can create devices and files of any owner, other users only their own
 * files.
 */
function owners(): { readonly owners: 'keep' | 'none'; readonly devices: 'make' | 'skip' } {
  return process.geteuid?.() === 0
    ? { owners: 'keep', devices: 'make' }
    : { owners: 'none', devices: 'skip' };
}
