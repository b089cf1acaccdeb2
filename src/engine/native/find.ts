import { join, resolve } from 'node:path';
import { NativeEngine, type NativeEngineOptions } from './engine.ts';
import { idsHere, isFullRoot, type Way } from './probe.ts';
import { Store } from './store/store.ts';

export type { NativeEngine } from './engine.ts';

/** What finding the native engine needs from the world. */
export interface NativeOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly runId: string;
  readonly isOver?: ((runId: string) => boolean) | undefined;
  readonly now: () => Date;
  readonly keepImages?: boolean | undefined;
  /** Fetches an image that the store does not hold; absent where none can be fetched. */
  readonly pull?: NativeEngineOptions['pull'];
  /** The store's folder; that of the user's data where absent. */
  readonly store?: string | undefined;
}

/** Where images are kept where nothing else is said: in the user's data folder (XDG base directories). */
export function storeFolder(env: NativeOptions['env'], home: string): string {
  return join(env.XDG_DATA_HOME || join(home, '.local/share'), 'luet-ts/store');
}

/** A native engine by its address: `native` or `native:/PATH`; `native+copy` instead where it is to work in copies. */
export interface NativeAddress {
  /** Absolute path of the store. */
  readonly folder: string;
  /** The way of working that was asked for. */
  readonly way: Way['kind'] | undefined;
}

/** What an address says; undefined where it is no native engine's. */
export function parseNative(address: string | undefined, options: NativeOptions): NativeAddress | undefined {
  const [whole, copy, path] = /^native(\+copy)?(?::(.+))?$/s.exec(address ?? '') ?? [];
  if (whole === undefined) return undefined;
  const folder = path ?? options.store ?? storeFolder(options.env, options.home);
  return { folder: resolve(folder), way: copy === undefined ? undefined : 'copy' };
}

/** The native engine of an address. */
export function openNative({ folder, way }: NativeAddress, options: NativeOptions): NativeEngine {
  const { runId, isOver, now, keepImages, pull } = options;
  const store = new Store({ folder, runId, isOver, form: isFullRoot() ? 'trusted' : 'user' });
  const { isNamespace, count } = idsHere();
  const means = {
    owners: count === 1 ? 'none' : 'keep',
    devices: isNamespace ? 'skip' : 'make',
  } as const;
  return new NativeEngine({ store, now, pid: process.pid, keepImages, way, means, pull });
}
