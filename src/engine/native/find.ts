import { join, resolve } from 'node:path';
import { NativeEngine } from './engine.ts';
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
  /** The store's folder; that of the user's data where absent. */
  readonly store?: string | undefined;
}

/** Where images are kept where nothing else is said: in the user's data folder (XDG base directories). */
export function storeFolder(env: NativeOptions['env'], home: string): string {
  return join(env.XDG_DATA_HOME || join(home, '.local/share'), 'luet-ts/store');
}

/** The store's folder that an engine's address names (`native`, `native:/PATH`); undefined where it is no native engine's. */
export function nativeStore(address: string | undefined, options: NativeOptions): string | undefined {
  if (address === 'native') return options.store ?? storeFolder(options.env, options.home);
  return address?.startsWith('native:') ? resolve(address.slice('native:'.length)) : undefined;
}

/** The native engine on a store. */
export function openNative(folder: string, options: NativeOptions): NativeEngine {
  const { runId, isOver, now, keepImages } = options;
  const store = new Store({ folder, runId, isOver });
  return new NativeEngine({ store, now, pid: process.pid, keepImages });
}
