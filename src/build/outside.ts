import { type Engine, EngineError, type ImageInfo } from '../engine/index.ts';
import { baseKey } from '../plan/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { PackageFailure } from './failure.ts';
import { type HoldOptions, LocalImages } from './local-images.ts';
import { Memory } from './memory.ts';

/** What finding images from outside takes. */
export interface OutsideOptions {
  readonly engine: Pick<Engine, 'resolve'>;
  readonly signal: AbortSignal;
}

/** The images that packages start from and that no package made: each is one and the same through a build. */
export class OutsideImages {
  readonly #options: OutsideOptions;
  readonly #memory = new Memory();
  readonly #local: LocalImages;
  /** The keys of images, as they were first. */
  readonly #baseKeys = new Map<string, string>();

  constructor(options: OutsideOptions) {
    this.#options = options;
    this.#local = new LocalImages(options.signal);
  }

  /** Lets go of files that were opened. */
  close(): Promise<void> {
    return this.#local.close();
  }

  /** An image from outside: one that lies in the tree, or one of the engine, pulled where that does not hold it. */
  async find(reference: string, pack: TreePackage, place = pack.build?.image?.place): Promise<ImageInfo> {
    const { engine, signal } = this.#options;
    const local = await this.#local.find(reference, pack, place);
    if (local !== undefined) return local.info;
    let reason = 'the engine does not hold it, and it cannot be pulled';
    const found = await this.#memory
      .once(`image ${reference}`, () => engine.resolve(reference, { signal }))
      .catch((error: Error) => {
        if (signal.aborted || (error instanceof EngineError && error.kind !== 'other')) throw error;
        reason = error.message;
        return undefined;
      });
    const fail = (code: string, message: string): PackageFailure =>
      new PackageFailure(pack, [{ code, message, ...(place === undefined ? {} : { place }) }]);
    if (found === undefined)
      throw fail('no-such-image', `the image ${reference} cannot be had: ${reason.trim()}`);
    const key = baseKey(found);
    const before = this.#baseKeys.get(reference) ?? key;
    this.#baseKeys.set(reference, before);
    // All that was built on it would be under keys of something else.
    if (before !== key)
      throw fail('image-lost', `the image ${reference} was removed, and is another now: build again`);
    return found;
  }

  /** Asks again for an image from outside when it is needed: it is not in the engine any more. */
  forget(reference: string): void {
    this.#memory.forget(`image ${reference}`);
    this.#local.forget();
  }

  /** The name by which an image from outside can be opened in the engine: one that lies in the tree is put there. */
  async held(
    reference: string,
    pack: TreePackage,
    options: HoldOptions,
    place = pack.build?.image?.place,
  ): Promise<string> {
    const local = await this.#local.find(reference, pack, place);
    if (local === undefined) return (await this.find(reference, pack, place)).reference;
    return await this.#local.hold(local, options);
  }
}
