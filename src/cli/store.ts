import { existsSync } from 'node:fs';
import { escapeTerminal } from '../diagnostic/index.ts';
import type { NativeAddress } from '../engine/index.ts';
import type { ImageUse, Store } from '../store/index.ts';
import type { CliContext } from './context.ts';
import { engineFlagsWith } from './flags/engine.ts';
import { outputFlag } from './flags/packages.ts';
import { InvalidValue } from './usage-error.ts';

/** Which store is meant, and how the answer is printed. */
export interface StoreFlags {
  readonly engine?: string;
  readonly store?: string;
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** Reads the value of `--engine`: only the native engine has a store. Throws an InvalidValue. */
function nativeAddress(value: string): string {
  if (!/^native(?:\+[a-z]+)?(?::.+)?$/s.test(value))
    throw new InvalidValue('Only the native engine has a store: expected native or native:/PATH.');
  return value;
}

/** The flags that every command on stores has. */
export const storeFlags = {
  ...engineFlagsWith({ engine: 'native, or native:/PATH for the store in that folder', read: nativeAddress }),
  output: outputFlag,
};

/** Does work on a store, which is left afterwards. */
export async function withStore(
  { engine = 'native', store: folder }: StoreFlags,
  context: CliContext,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const [{ inWorkplace, withEngine }, { endRun, parseNative }, { Store }, { engineSettings }, { resolve }] =
    await Promise.all([
      import('./with-engine.ts'),
      import('../engine/index.ts'),
      import('../store/index.ts'),
      import('../library/index.ts'),
      import('node:path'),
    ]);
  const named = folder === undefined ? undefined : resolve(context.cwd, folder);
  await inWorkplace(context, (workplace) =>
    // Without root, all of a store is visible only inside the engine's user namespace.
    withEngine({ engine, store: named }, context, workplace, async () => {
      const settings = engineSettings(context.env, context.home);
      const address = parseNative(engine, { settings, store: named });
      if (address === undefined) throw new Error(`${engine} is not the address of a native engine`);
      noteMissingStore(address, context);
      const { folder } = address;
      const store = new Store({ folder, runId: `${workplace.name}-store`, form: 'trusted', endRun });
      try {
        await work(store);
      } finally {
        await store.close();
      }
    }),
  );
}

/** As `noteMissingStore`, for a command that may be given any engine. */
export async function noteMissingEngineStore(
  { engine, store }: { readonly engine?: string | undefined; readonly store?: string | undefined },
  context: CliContext,
): Promise<void> {
  if (store === undefined && !engine?.startsWith('native')) return;
  const [{ parseNative }, { engineSettings }, { resolve }] = await Promise.all([
    import('../engine/index.ts'),
    import('../library/index.ts'),
    import('node:path'),
  ]);
  const { env, home, cwd } = context;
  const named = store === undefined ? undefined : resolve(cwd, store);
  const address = parseNative(engine ?? 'native', { settings: engineSettings(env, home), store: named });
  if (address !== undefined) noteMissingStore(address, context);
}

/** Says so where a store that was named is not there: it counts as empty, and its path may be a mistake. */
export function noteMissingStore({ folder, isNamed }: NativeAddress, { stderr, display }: CliContext): void {
  if (!isNamed || display.quiet || existsSync(`${folder}/layers`)) return;
  stderr.write(`${escapeTerminal(`note: there is no store in ${folder} yet`)}\n`);
}

/** What is printed about a stored image. */
export interface ShownImage {
  readonly name: string;
  /** `category/name-version`, where it is the image of a package. */
  readonly package?: string;
  /** When it was last used, in ISO 8601. */
  readonly used: string;
  readonly layers: readonly string[];
  readonly size: number;
  readonly own: number;
}

/** An image as data. `label` is the one that names the package of an image. */
export function shownImage({ labels, used, name, layers, size, own }: ImageUse, label: string): ShownImage {
  const pack = labels[label];
  // Anyone can put labels on an image: this one has the form and the length of a package's name, or is none.
  const isPackage = pack !== undefined && /^[^\s\x00-\x1f\x7f-\x9f]{1,401}$/.test(pack);
  return {
    name,
    ...(isPackage ? { package: pack } : {}),
    used: new Date(used).toISOString(),
    layers,
    size,
    own,
  };
}

/**
 * Rows of text whose columns line up; numbers, in columns of these indexes, at their ends. The last column is
 * not padded.
 */
export function table(rows: readonly (readonly string[])[], numbers: readonly number[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => {
        if (at === row.length - 1) return cell;
        return numbers.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
      })
      .join('  '),
  );
}

/** A time as tables show it: to the minute, UTC. */
export const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');
