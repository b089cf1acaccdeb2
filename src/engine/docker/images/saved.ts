import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { writeTemporaryFile } from '../../../disk/index.ts';
import {
  assembleImage,
  compressionByMagic,
  type Descriptor,
  type Digest,
  type Image,
  ImageError,
  type Layer,
  layerMediaType,
  measure,
  parseConfiguration,
  unpackLayer,
  verified,
} from '../../../image/index.ts';
import { readTar } from '../../../tar/index.ts';

/** An image in `manifest.json` of a saved archive (Docker image specification 1.2). */
interface SavedImage {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers: readonly string[];
}

/** More bytes than any configuration or manifest has. */
const LONGEST_TEXT = 64 << 20;

/** How many links may lead to further links. */
const MOST_LINKS = 40;

/** The images of an archive that an engine saved, kept as files in a temporary folder. */
export class SavedImages {
  readonly #folder: string;
  readonly #files = new Map<string, string>();
  readonly #links = new Map<string, string>();
  #images: readonly SavedImage[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Reads an archive to its end. `temporary` is an existing folder. Rejects with an ImageError where the
   * archive holds no images, and leaves nothing behind then.
   */
  static async take(
    archive: AsyncIterable<Uint8Array>,
    temporary: string,
    onBytes: (count: number) => void = () => {},
    signal?: AbortSignal,
  ): Promise<SavedImages> {
    const saved = new SavedImages(await mkdtemp(join(temporary, 'saved-')));
    try {
      await saved.#spool(archive, onBytes, signal);
      saved.#images = await saved.#manifest();
      return saved;
    } catch (error) {
      await saved.close();
      throw error;
    }
  }

  async #spool(
    archive: AsyncIterable<Uint8Array>,
    onBytes: (count: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of archive) {
        onBytes(chunk.length);
        yield chunk;
      }
    }
    for await (const { entry, content } of readTar(counted())) {
      signal?.throwIfAborted();
      if (entry.type === 'symlink') this.#links.set(entry.path, entry.link ?? '');
      if (entry.type === 'hardlink') this.#links.set(entry.path, `/${entry.link ?? ''}`);
      if (entry.type !== 'file') continue;
      // Names come from outside, so files are numbered.
      const file = join(this.#folder, String(this.#files.size));
      await writeTemporaryFile(file, content, { signal });
      this.#files.set(entry.path, file);
    }
  }

  #file(path: string): string {
    let at = posix.normalize(path).replace(/^\/+/, '');
    for (let links = 0; links < MOST_LINKS; links++) {
      const file = this.#files.get(at);
      if (file !== undefined) return file;
      const link = this.#links.get(at);
      if (link === undefined) break;
      at = (link.startsWith('/') ? posix.normalize(link) : posix.join(posix.dirname(at), link)).replace(
        /^\/+/,
        '',
      );
    }
    throw new ImageError(`the engine saved an archive without ${JSON.stringify(path)}`);
  }

  async #text(path: string): Promise<Buffer> {
    const file = this.#file(path);
    if ((await stat(file)).size > LONGEST_TEXT)
      throw new ImageError(`${JSON.stringify(path)} in what the engine saved is too long`);
    return await readFile(file);
  }

  async #manifest(): Promise<readonly SavedImage[]> {
    const text = (await this.#text('manifest.json')).toString('utf8');
    let list: unknown;
    try {
      list = JSON.parse(text);
    } catch {
      // Told below.
    }
    const isImage = (one: Partial<SavedImage> | null): boolean =>
      typeof one?.Config === 'string' &&
      Array.isArray(one.Layers) &&
      one.Layers.every((layer) => typeof layer === 'string');
    if (!Array.isArray(list) || !list.every(isImage))
      throw new ImageError('the engine saved an archive whose manifest.json lists no images');
    return list as SavedImage[];
  }

  /** The image that was saved under a name; or the only one, where that has no name. */
  async image(name: string): Promise<Image | undefined> {
    const wanted = plainName(name);
    const named = this.#images.find(({ RepoTags }) => RepoTags?.some((one) => plainName(one) === wanted));
    const found = named ?? (this.#images.length === 1 ? this.#images[0] : undefined);
    return found === undefined ? undefined : await this.#image(found);
  }

  async #image({ Config, Layers }: SavedImage): Promise<Image> {
    const raw = await this.#text(Config);
    const ids = parseConfiguration(raw).rootfs.diff_ids;
    return assembleImage(
      raw,
      Layers.map((path, at) => layerOf(this.#file(path), ids[at] as Digest)),
    );
  }

  /** Removes the files. Can be called twice. */
  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A name without what engines add before and behind it, each in its own way. */
function plainName(name: string): string {
  const plain = name.replace(/^(?:localhost|(?:index\.)?docker\.io(?:\/library)?)\//, '');
  return /@|:[^/]*$/.test(plain) ? plain : `${plain}:latest`;
}

/** A layer in a file as an engine saved it: a plain archive, or a compressed one. */
function layerOf(file: string, diffId: Digest): Layer {
  const stored = (signal?: AbortSignal): AsyncIterable<Uint8Array> => createReadStream(file, { signal });
  let descriptor: Promise<Descriptor> | undefined;
  const describe = async (): Promise<Descriptor> => {
    const mediaType = layerMediaType(compressionByMagic(await firstBytes(file)));
    return { mediaType, ...(await measure(stored())) };
  };
  return {
    descriptor: () => (descriptor ??= describe()),
    diffId: () => Promise.resolve(diffId),
    compressed: stored,
    uncompressed: (signal) => verified(unpackLayer(stored(signal)), { digest: diffId }),
  };
}

/** Enough bytes of a file to recognize its compression. */
async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
