import { resolve } from 'node:path';
import type { FindEngineOptions } from '../strategy.ts';
import { NativeEngine } from './engine.ts';
import { idsHere, isFullRoot } from './namespace.ts';
import { type AskedWay, askedWays } from './probe.ts';
import { Store } from './store/store.ts';

export type { NativeEngine } from './engine.ts';

/** What opening the native engine needs. */
export type NativeOptions = Pick<
  FindEngineOptions,
  'settings' | 'runId' | 'now' | 'keepImages' | 'pull' | 'store'
>;

/** A native engine by its address: `native` or `native:/PATH`; `native+WAY` instead where it is to work in that way. */
export interface NativeAddress {
  /** Absolute path of the store. */
  readonly folder: string;
  /** The way of working that was asked for. */
  readonly way: AskedWay | undefined;
  /** Whether the folder was named, by the address or beside it. */
  readonly isNamed: boolean;
}

/** The parts of an address; undefined where it is not one of the native engine. */
function partsOf(address: string): { readonly way?: AskedWay; readonly path?: string } | undefined {
  const [whole, asked, path] = /^native(?:\+([a-z]+))?(?::(.+))?$/s.exec(address) ?? [];
  const way = askedWays.find((name) => name === asked);
  if (whole === undefined || way !== asked) return undefined;
  return { ...(way === undefined ? {} : { way }), ...(path === undefined ? {} : { path }) };
}

/** Whether an address is one of the native engine. */
export const isNativeAddress = (address: string): boolean => partsOf(address) !== undefined;

/** Reads an address; undefined where it is not one of the native engine. */
export function parseNative(
  address: string | undefined,
  options: Pick<NativeOptions, 'settings' | 'store'>,
): NativeAddress | undefined {
  const parts = partsOf(address ?? '');
  if (parts === undefined) return undefined;
  const { way, path } = parts;
  const named = path ?? options.store;
  return {
    folder: resolve(named ?? options.settings.store),
    way,
    isNamed: named !== undefined,
  };
}

/** The native engine of an address. */
export function openNative(
  { folder, way }: Omit<NativeAddress, 'isNamed'>,
  options: NativeOptions,
): NativeEngine {
  const { runId, now, keepImages, pull } = options;
  const store = new Store({ folder, runId, form: isFullRoot() ? 'trusted' : 'user' });
  const { isNamespace, count } = idsHere();
  const means = {
    owners: count === 1 ? 'none' : 'keep',
    devices: isNamespace ? 'skip' : 'make',
  } as const;
  return new NativeEngine({ store, now, keepImages, way, means, pull });
}
