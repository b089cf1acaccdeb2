import { join, resolve } from 'node:path';
import { Store } from '../../../store/index.ts';
import type { FindEngineOptions } from '../../strategy.ts';
import { NativeEngine } from '../engine.ts';
import { GROUP_LIST, removeGroups } from '../groups/groups.ts';
import { idsHere, isFullRoot } from './namespace.ts';
import { type AskedWay, askedWays } from './probe.ts';

export type { NativeEngine } from '../engine.ts';

/** What opening the native engine needs. */
export type NativeOptions = Pick<
  FindEngineOptions,
  'settings' | 'runId' | 'now' | 'keepImages' | 'pull' | 'store'
>;

/** The address of a native engine: `native`, `native:/PATH`, or `native+WAY` to work in one way only. */
export interface NativeAddress {
  /** Absolute path of the store. */
  readonly folder: string;
  /** The way of working that was asked for. */
  readonly way: AskedWay | undefined;
  /** Whether the folder was named, in the address or by an option. */
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

/** Ends what a dead run left outside of its folder in the store: its control groups. */
export const endRun = (folder: string): Promise<void> => removeGroups(join(folder, GROUP_LIST));

/** Opens the native engine of an address. */
export function openNative(
  { folder, way }: Omit<NativeAddress, 'isNamed'>,
  options: NativeOptions,
): NativeEngine {
  const { runId, now, keepImages, pull } = options;
  const store = new Store({ folder, runId, form: isFullRoot() ? 'trusted' : 'user', endRun });
  const { isNamespace, count } = idsHere();
  const means = {
    owners: count === 1 ? 'none' : 'keep',
    devices: isNamespace ? 'skip' : 'make',
  } as const;
  return new NativeEngine({ store, now, keepImages, way, means, pull });
}
