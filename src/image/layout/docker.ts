import { posix } from 'node:path';
import { writeFile } from '../../disk/index.ts';
import { assembleImage } from '../assemble.ts';
import { fieldsOf, isObject, isStrings } from '../json.ts';
import { compressionByMagic, layerMediaType, unpackLayer } from '../layer/codec.ts';
import { collect, measure, verified } from '../layer/verify.ts';
import { LONGEST_CONFIGURATION, LONGEST_MANIFEST, parseConfiguration } from '../manifest.ts';
import { formatReference, parseReference } from '../reference.ts';
import {
  type Descriptor,
  type Digest,
  type Image,
  ImageError,
  type ImageSink,
  type ImageSource,
  type Layer,
  type ReadOptions,
} from '../types.ts';
import { dockerArchiveOf } from './docker-write.ts';
import { archiveFiles, type Files, readShort, type StoredFile } from './files.ts';

/** One image in `manifest.json` (Docker image specification 1.2). */
interface ArchivedImage {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/** The entries of `manifest.json`, one for each image, not checked yet. */
async function savedImages(files: Files): Promise<readonly unknown[]> {
  if ((await files.find('manifest.json')) === undefined)
    throw new ImageError(`${files.place} is not an archive of docker save: manifest.json not found`);
  const text = (await readShort(files, 'manifest.json', LONGEST_MANIFEST)).toString('utf8');
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new ImageError(`manifest.json in ${files.place} is not JSON`, { cause: error });
  }
  if (!Array.isArray(list)) throw new ImageError(`manifest.json in ${files.place} is not a list of images`);
  return list;
}

/** Parses an entry of `manifest.json`. Throws an ImageError if it does not describe an image. */
function parseSaved(entry: unknown, place: string): ArchivedImage {
  if (isObject(entry)) {
    const { Config, RepoTags, Layers } = fieldsOf(entry, ['Config', 'RepoTags', 'Layers']);
    const [tags, layers] = [RepoTags ?? [], Layers ?? []];
    if (typeof Config === 'string' && isStrings(tags) && isStrings(layers)) {
      const outside = [Config, ...layers].find((path) => /^\.\.(?:\/|$)/.test(posix.normalize(`./${path}`)));
      if (outside === undefined) return { Config, RepoTags: tags, Layers: layers };
      throw new ImageError(
        `manifest.json in ${place} names ${JSON.stringify(outside)}, which leads out of the archive`,
      );
    }
  }
  throw new ImageError(`manifest.json in ${place} has an entry that does not describe an image`);
}

/** The names in an entry of `manifest.json`; none if it does not describe an image. */
function tagsOf(entry: unknown): readonly string[] {
  const { RepoTags } = isObject(entry) ? fieldsOf(entry, ['RepoTags']) : {};
  return isStrings(RepoTags) ? RepoTags : [];
}

/** The full name of an image, so that the short names of Docker equal those of podman. */
function fullName(name: string): string {
  const reference = parseReference(name.replace(/^localhost\/(?=[^/:]+(?::[^/]*)?$)/, ''));
  return typeof reference === 'string' ? name : formatReference(reference);
}

/**
 * An archive of `docker save` or `podman save` (`docker-archive:PATH`), with layers in separate folders or as
 * blobs of an OCI layout. Images have the names they were saved with; an empty name selects the only image.
 * Writing creates an archive with a single image.
 */
export function dockerArchive(path: string): ImageSource & ImageSink {
  let reading: Promise<Files | undefined> | undefined;
  return {
    async image(name, options = {}) {
      reading ??= archiveFiles(path);
      const files = await reading;
      if (files === undefined) return undefined;
      const images = await savedImages(files);
      const wanted = name === '' ? undefined : fullName(name);
      const found =
        wanted === undefined
          ? images
          : images.filter((entry) => tagsOf(entry).some((one) => fullName(one) === wanted));
      if (wanted === undefined && found.length > 1) {
        const names = images.flatMap(tagsOf).join(', ');
        throw new ImageError(`${path} has ${found.length} images; select one by its name: ${names}`);
      }
      if (found.length === 0) return undefined;
      // Other images may be broken.
      return savedImage(files, parseSaved(found[0], path), options);
    },
    async write(name, image, options = {}) {
      const descriptor = await image.descriptor();
      await writeFile(
        path,
        (temporary) => dockerArchiveOf([{ name, image }], temporary, options.signal),
        options,
      );
      reading = undefined;
      return descriptor;
    },
  };
}

async function savedImage(
  files: Files,
  { Config, Layers }: ArchivedImage,
  options: ReadOptions,
): Promise<Image> {
  const raw = await readShort(files, Config, LONGEST_CONFIGURATION);
  const ids = parseConfiguration(raw, `${Config} in ${files.place}`).rootfs.diff_ids;
  const layers: Layer[] = [];
  for (const [i, name] of Layers.entries()) {
    const file = await files.find(name);
    if (file === undefined) throw new ImageError(`${name} not found in ${files.place}`);
    layers.push(fileLayer(file, ids[i], options));
  }
  return assembleImage(raw, layers);
}

/** A layer stored in a file, with any compression. Unknown properties are determined by reading it. */
export function fileLayer(file: StoredFile, diffId?: Digest, options: ReadOptions = {}): Layer {
  const stored = async function* (signal = options.signal): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of file.read(signal)) {
      options.onBytes?.(chunk.length);
      yield chunk;
    }
  };
  let descriptor: Promise<Descriptor> | undefined;
  let id = diffId === undefined ? undefined : Promise.resolve(diffId);
  const describe = async (): Promise<Descriptor> => {
    const mediaType = layerMediaType(compressionByMagic(await firstBytes(file)));
    return { mediaType, ...(await measure(file.read(options.signal))) };
  };
  const identify = async (): Promise<Digest> =>
    (await measure(unpackLayer(file.read(options.signal)))).digest;
  const layer: Layer = {
    descriptor() {
      descriptor ??= describe();
      return descriptor;
    },
    diffId() {
      id ??= identify();
      return id;
    },
    async *compressed(signal) {
      yield* verified(stored(signal), await layer.descriptor());
    },
    async *uncompressed(signal) {
      yield* verified(unpackLayer(stored(signal)), { digest: await layer.diffId() });
    },
  };
  return layer;
}

async function firstBytes(file: StoredFile): Promise<Uint8Array> {
  for await (const chunk of file.read()) if (chunk.length >= 6 || file.size < 6) return chunk;
  return collect(file.read(), 6, 'a layer').catch(() => Buffer.alloc(0));
}
