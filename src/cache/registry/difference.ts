import { createHash } from 'node:crypto';
import { FileError, isSystemError } from '../../disk/index.ts';
import { EngineError } from '../../engine/index.ts';
import { type Image, ImageError, type Layer } from '../../image/index.ts';
import { type BytePath, type Entry, readTar, shownPath } from '../../tar/index.ts';

/** Paths that are named at most. */
const NAMED = 3;

/**
 * How the files of two images of one key differ, for people; undefined where they do not. Times do not count: they are those of
 * the build. Reads the layers that are not the same in both.
 */
export async function imageDifference(
  ours: Image,
  theirs: Image,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [own, other] = await Promise.all([ownLayers(ours, theirs), ownLayers(theirs, ours)]);
  const [mine, yours] = await Promise.all([entriesOf(own, signal), entriesOf(other, signal)]);
  const paths = new Set([...mine.keys(), ...yours.keys()]);
  const differing = [...paths].filter((path) => mine.get(path) !== yours.get(path)).sort();
  if (differing.length === 0) return undefined;
  const named = differing.slice(0, NAMED).map((path) => shownPath(`/${path}`));
  const more = differing.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The layers of an image above those that the other one has as well. */
async function ownLayers(image: Image, other: Image): Promise<readonly Layer[]> {
  const [{ rootfs: own }, { rootfs: theirs }] = await Promise.all([
    image.configuration(),
    other.configuration(),
  ]);
  const same = own.diff_ids.findIndex((diffId, at) => theirs.diff_ids[at] !== diffId);
  return (await image.layers()).slice(same < 0 ? own.diff_ids.length : same);
}

/** What each path of some layers is, as a digest of everything but its time. Whiteouts count as files. */
async function entriesOf(layers: readonly Layer[], signal: AbortSignal): Promise<Map<BytePath, string>> {
  const found = new Map<BytePath, string>();
  for (const layer of layers)
    for await (const { entry, content } of readTar(layer.uncompressed(signal))) {
      const hash = createHash('sha256').update(JSON.stringify(described(entry)));
      for await (const chunk of content) hash.update(chunk);
      found.set(entry.path, hash.digest('hex'));
    }
  return found;
}

const described = ({ type, mode, uid, gid, size, link, device, xattrs }: Entry): unknown => [
  type,
  mode,
  uid,
  gid,
  size,
  link ?? null,
  device ?? null,
  [...(xattrs ?? [])].map(([name, value]) => [name, value.toString('latin1')]).sort(),
];

/** Whether two images are the same, byte for byte. */
export async function isSameImage(ours: Image, theirs: Image): Promise<boolean> {
  const [own, other] = await Promise.all([ours.configuration(), theirs.configuration()]);
  return own.rootfs.diff_ids.join() === other.rootfs.diff_ids.join();
}

/** Whether an error is one of images and registries, and not a bug. */
export const isImageError = (error: unknown): error is ImageError => error instanceof ImageError;

/** Whether an error comes from a registry, the engine or the file system (a full disk), and is not a bug. */
export const isTransferError = (error: unknown): error is Error =>
  isImageError(error) || error instanceof EngineError || error instanceof FileError || isSystemError(error);
