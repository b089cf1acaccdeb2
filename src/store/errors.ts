import type { Advice } from '../diagnostic/index.ts';

/** What a `StoreError` says beside its message. */
export interface StoreErrorOptions extends ErrorOptions {
  /** `no-space` where the store's disk is full; `other` where absent. */
  readonly kind?: StoreError['kind'];
  /** What the user can do about it. */
  readonly hint?: string | undefined;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice?: Advice | undefined;
}

/** A store cannot be read or written, or does not have what was asked of it. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: 'no-space' | 'other';
  /** What the user can do about it. */
  readonly hint: string | undefined;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice: Advice | undefined;

  constructor(message: string, options: StoreErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.kind = options.kind ?? 'other';
    this.hint = options.hint;
    this.advice = options.advice;
  }
}
