import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type Chunks,
  makeFolder,
  removeMade,
  syncFolder,
  withTemporaryFolder,
  writeFileAside,
  writing,
} from '../../disk/index.ts';
import { inParallel } from '../in-parallel.ts';
import { LONGEST_MANIFEST, OCI_INDEX, parseDescriptor } from '../manifest.ts';
import { formatPlatform, hostPlatform, imagesIn, listPlatforms, selectPlatform } from '../platform.ts';
import {
  type Descriptor,
  type Image,
  ImageError,
  type ImageSink,
  type ImageSource,
  type ReadOptions,
  type WriteOptions,
} from '../types.ts';
import { blobsOf, type ImageBlob } from './blobs.ts';
import { archiveFiles, type Files, folderFiles, readShort } from './files.ts';
import { withLock } from './lock.ts';
import { blobName, imageOf } from './stored.ts';

/** The annotation that names an image in the index of a layout (OCI image layout). */
const NAME = 'org.opencontainers.image.ref.name';

/** Number of blobs to write in parallel. */
const AT_ONCE = 4;

/** The file that marks a folder as a layout, with the version. */
export const LAYOUT = Buffer.from('{"imageLayoutVersion":"1.0.0"}');

type RawIndex = { readonly manifests?: unknown; readonly [key: string]: unknown };

/** Reads the index of a layout. Throws an ImageError if the layout is invalid. */
async function readIndex(files: Files): Promise<{ raw: RawIndex; manifests: readonly Descriptor[] }> {
  const layout = await files.find('oci-layout');
  if (layout === undefined)
    throw new ImageError(`${files.place} is not an OCI layout: the file oci-layout not found`);
  const what = `index.json in ${files.place}`;
  const text = (await readShort(files, 'index.json', LONGEST_MANIFEST)).toString('utf8');
  let raw: RawIndex | null;
  try {
    raw = JSON.parse(text) as RawIndex | null;
  } catch (error) {
    throw new ImageError(`${what} is not JSON`, { cause: error });
  }
  if (typeof raw !== 'object' || raw === null || !Array.isArray(raw.manifests))
    throw new ImageError(`${what} lists no manifests`);
  return {
    raw,
    manifests: raw.manifests.map((one, i) => parseDescriptor(one, `${what}: manifest ${i + 1}`)),
  };
}

const nameOf = ({ annotations }: Descriptor): string | undefined => annotations?.[NAME];

/**
 * Finds an image by name in a layout; an empty name selects the only image. The specification allows
 * `index.json` to list one image for several platforms directly; other programs add a separate index for
 * that. Both count as one image.
 */
async function findImage(files: Files, name: string, options: ReadOptions): Promise<Image | undefined> {
  const images = imagesIn((await readIndex(files)).manifests);
  const found = name === '' ? images : images.filter((one) => nameOf(one) === name);
  const [first] = found;
  if (first === undefined) return undefined;
  const isOne = found.every((one) => nameOf(one) === nameOf(first) && one.platform !== undefined);
  if (found.length === 1 || (name !== '' && !isOne)) return imageOf(files, first, options);
  if (isOne) return imageOf(files, ofPlatform(found, files, options), options);
  const names = new Set(images.map((one) => nameOf(one) ?? one.digest));
  throw new ImageError(
    `${files.place} has ${names.size} images; select one by its name: ${[...names].join(', ')}`,
  );
}

function ofPlatform(images: readonly Descriptor[], { place }: Files, options: ReadOptions): Descriptor {
  const wanted = options.platform ?? hostPlatform();
  const found = selectPlatform(images, wanted);
  if (found !== undefined) return found;
  throw new ImageError(
    `${place} has no image for ${formatPlatform(wanted)}; available: ${listPlatforms(images)}`,
  );
}

/**
 * An OCI layout in a folder (`oci:PATH`). Images are named by tags. An empty name reads the only image, or
 * writes an image without a name.
 */
export function ociLayout(folder: string): ImageSource & ImageSink {
  return {
    image: (name, options = {}) => findImage(folderFiles(folder), name, options),
    async write(name, image, options = {}) {
      const made = makeFolder(folder);
      try {
        return await withTemporaryFolder(folder, options.run, (temporary) =>
          writeInto(folder, temporary, name, image, options),
        );
      } catch (error) {
        removeMade(made);
        throw error;
      }
    },
  };
}

/**
 * Writes an image to a layout. All blobs are written to temporary files first, so that an error leaves none
 * of them.
 */
async function writeInto(
  folder: string,
  temporary: string,
  name: string,
  image: Image,
  options: WriteOptions,
): Promise<Descriptor> {
  const files = folderFiles(folder);
  const put = (path: string, content: Chunks, signal = options.signal) =>
    writeFileAside(path, temporary, content, { ...options, signal, place: folder });
  const staged = new Map<string, string>();
  const blobs: ImageBlob[] = [];
  for await (const blob of blobsOf(image)) blobs.push(blob);
  await inParallel(AT_ONCE, blobs, options.signal, async ({ descriptor, read }, signal) => {
    const at = blobName(descriptor.digest);
    const there = await files.find(at);
    if (there?.size === descriptor.size) return void options.onBytes?.(descriptor.size);
    const aside = join(temporary, basename(at));
    await put(aside, read(signal), signal);
    staged.set(at, aside);
  });
  const descriptor = await image.descriptor();
  await withLock(join(folder, '.index.json.lock'), temporary, options, async () => {
    makeFolder(join(folder, 'blobs/sha256'));
    await writing(folder, () => moveAll(staged, folder));
    if ((await files.find('oci-layout')) === undefined) await put(join(folder, 'oci-layout'), [LAYOUT]);
    const isNew = (await files.find('index.json')) === undefined;
    const { raw } = isNew ? { raw: {} } : await readIndex(files);
    await put(join(folder, 'index.json'), [withImage(raw, name, descriptor)]);
  });
  return descriptor;
}

/** Renames files into a folder, and waits until the names are on disk. */
async function moveAll(staged: ReadonlyMap<string, string>, folder: string): Promise<void> {
  for (const [at, aside] of staged) await rename(aside, join(folder, at));
  await syncFolder(join(folder, 'blobs/sha256'));
}

/**
 * An index with one more image, which replaces the image of the same name. Entries of other programs are not
 * changed.
 */
export function withImage(index: RawIndex, name: string, { mediaType, digest, size }: Descriptor): Buffer {
  const others = (Array.isArray(index.manifests) ? index.manifests : []).filter(
    (one: Partial<Descriptor>) => {
      const theirs = one.annotations?.[NAME];
      return name === '' ? theirs !== undefined || one.digest !== digest : theirs !== name;
    },
  );
  const annotations = name === '' ? {} : { annotations: { [NAME]: name } };
  const manifests = [...others, { mediaType, digest, size, ...annotations }];
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, ...index, manifests }));
}

/** Reads an OCI layout from a tar archive (`oci-archive:PATH`), whose files can be in any order. */
export function ociArchive(path: string): ImageSource {
  let files: Promise<Files | undefined> | undefined;
  return {
    async image(name, options = {}) {
      files ??= archiveFiles(path);
      const found = await files;
      return found === undefined ? undefined : findImage(found, name, options);
    },
  };
}
