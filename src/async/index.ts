/**
 * Tools for work that runs at the same time: share one result among many callers (`PromiseCache`), and let a
 * bounded number of pieces of work run at once (`Slots`), and try again what failed, with back-off (`retry`,
 * `waitFor`, `Tries`). They know nothing of what the work is. `withPipes` is for programs that were started.
 */
export { withPipes } from './child.ts';
export { PromiseCache } from './promise-cache.ts';
export { Slots, type SlotWaiting } from './slots.ts';
export { retry, Tries, type TryOptions, waitFor } from './tries.ts';
