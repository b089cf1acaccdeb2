import type { Place } from '../diagnostic/index.ts';
import type { Engine, ImageInfo } from '../engine/index.ts';
import { digestOf, type Image, ImageError, type OpenedImage, openPath } from '../image/index.ts';
import { isLocalImage, locateImage } from '../plan/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { PackageFailure } from './failure.ts';

/** Under which images that lie in trees are kept in an engine, by their configurations' digests. */
const REPOSITORY = 'luet/base';

/** An image that lies in a tree. */
export interface LocalImage {
  /** As an engine would tell it, under the name that it is to have there. */
  readonly info: ImageInfo;
  readonly image: Image;
}

/** How such images are put into an engine. */
export interface HoldOptions {
  readonly engine: Pick<Engine, 'resolve' | 'write'>;
  readonly keepImages: boolean;
  readonly runId: string;
  readonly signal: AbortSignal;
}

/** The images that specs name by where they lie in the tree: each opened once, and put into the engine when it is used. */
export class LocalImages {
  readonly #signal: AbortSignal;
  readonly #open: OpenedImage[] = [];
  readonly #byReference = new Map<string, Promise<LocalImage>>();
  readonly #held = new Map<string, Promise<string>>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** The image of a reference, or undefined where that names none in a tree. Rejects with a `PackageFailure`. */
  async find(
    reference: string,
    pack: TreePackage,
    place: Place | undefined,
  ): Promise<LocalImage | undefined> {
    if (!isLocalImage(reference)) return undefined;
    const fail = (code: string, message: string, hint?: string): PackageFailure =>
      new PackageFailure(pack, [
        {
          code,
          message,
          ...(place === undefined ? {} : { place }),
          ...(hint === undefined ? {} : { hint }),
        },
      ]);
    const found = locateImage(reference, pack);
    if (!found.ok) throw fail(found.code, found.message, found.hint);
    const key = JSON.stringify(found.at);
    const known = this.#byReference.get(key) ?? this.#read(found.at);
    this.#byReference.set(key, known);
    try {
      return await known;
    } catch (error) {
      this.#signal.throwIfAborted();
      const isMeant = error instanceof ImageError || (error as NodeJS.ErrnoException).syscall !== undefined;
      if (!isMeant) throw error;
      throw fail('no-such-image', `the image ${reference} cannot be had: ${(error as Error).message}`);
    }
  }

  async #read(at: Parameters<typeof openPath>[0]): Promise<LocalImage> {
    const opened = await openPath(at, { signal: this.#signal });
    this.#open.push(opened);
    const { image } = opened;
    const { os, architecture, variant, created, config, rootfs } = await image.configuration();
    const time = Date.parse(created ?? '');
    const digest = digestOf(await image.rawConfiguration());
    return {
      image,
      info: {
        reference: `${REPOSITORY}:${digest.slice('sha256:'.length)}`,
        layers: rootfs.diff_ids,
        config: { env: config?.Env ?? [], os, architecture, variant: variant ?? '' },
        created: Number.isNaN(time) ? 0 : Math.floor(time / 1000),
        labels: config?.Labels ?? {},
      },
    };
  }

  /** Puts an image into an engine where it is not there; the name under which it is. */
  hold({ info, image }: LocalImage, options: HoldOptions): Promise<string> {
    const { reference } = info;
    const known = this.#held.get(reference);
    if (known !== undefined) return known;
    const held = put(info, image, options);
    this.#held.set(reference, held);
    // What the engine failed may go well the next time.
    held.catch(() => this.#held.delete(reference));
    return held;
  }

  /** Puts images into the engine again when they are used: they are not there any more. */
  forget(): void {
    this.#held.clear();
  }

  /** Closes what was opened. */
  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((one) => one.close()));
  }
}

async function put(
  { reference, layers }: ImageInfo,
  image: Image,
  { engine, keepImages, runId, signal }: HoldOptions,
): Promise<string> {
  const there = await engine.resolve(reference, { pull: false, signal });
  if (there !== undefined && there.layers.join() === layers.join()) return reference;
  const digest = reference.slice(REPOSITORY.length + 1);
  const name = keepImages ? reference : `${REPOSITORY}:tmp-${runId}-${digest.slice(0, 16)}`;
  await engine.write([{ name, image }], { temporary: !keepImages, signal });
  return name;
}
