import type { Engine } from '../engine/index.ts';

/** Which images this build counts on, and what has to be worked out again when one of them is not there any more. */
export class ImagesInUse {
  readonly #engine: Pick<Engine, 'resolve'>;
  readonly #always: (reference: string) => void;
  readonly #forget = new Map<string, (() => void)[]>();

  /** `always` is called for every image that is not there any more. */
  constructor(engine: Pick<Engine, 'resolve'>, always: (reference: string) => void) {
    this.#engine = engine;
    this.#always = always;
  }

  /** Once a promised image is known to be there, `forget` is what else to do when it is lost. */
  watch(reference: Promise<string>, forget: () => void): void {
    reference.then(
      (name) => void this.#forget.set(name, [...(this.#forget.get(name) ?? []), forget]),
      () => {},
    );
  }

  /** Forgets an image that was missed, unless it is there after all: another package may have seen to that meanwhile. */
  async missed(reference: string): Promise<void> {
    if ((await this.#engine.resolve(reference, { pull: false })) !== undefined) return;
    const forget = this.#forget.get(reference) ?? [];
    this.#forget.delete(reference);
    this.#always(reference);
    for (const one of forget) one();
  }
}
