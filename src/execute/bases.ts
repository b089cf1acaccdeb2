import { PromiseCache } from '../async/index.ts';
import { BaseImageError, holdBaseImage } from '../cache/index.ts';
import type { Place } from '../diagnostic/index.ts';
import { EngineError } from '../engine/index.ts';
import type { ResolvedPackage, ResolvedPlan } from '../resolve/index.ts';
import { PackageFailure } from './failure.ts';
import type { ExecuteOptions } from './types.ts';

/** The base images of a plan. Each is loaded into the engine once. */
export class HeldBases {
  readonly #plan: Pick<ResolvedPlan, 'images'>;
  readonly #options: ExecuteOptions;
  readonly #held = new PromiseCache<number, string>((error) => error instanceof EngineError);

  constructor(plan: Pick<ResolvedPlan, 'images'>, options: ExecuteOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  /**
   * Loads the image with this index for a package, and returns the name under which the engine opens it.
   * `place` is where the spec refers to it.
   */
  async hold(at: number | undefined, pack: ResolvedPackage, place: Place | undefined): Promise<string> {
    const image = at === undefined ? undefined : this.#plan.images[at];
    if (at === undefined || image === undefined)
      throw new Error(`image of ${pack.key} not found in the plan`);
    try {
      return await this.#held.get(at, () => holdBaseImage(image, this.#options));
    } catch (error) {
      if (!(error instanceof BaseImageError)) throw error;
      const { code, message } = error;
      throw new PackageFailure(pack, [{ code, message, place: place ?? pack.buildPlace }], { cause: error });
    }
  }

  /** Looks up all images again at their next use, because some may have been removed. */
  forget(): void {
    this.#held.clear();
  }
}
