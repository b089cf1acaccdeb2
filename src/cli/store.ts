import { type Command, InvalidArgumentError } from 'commander';
import type { Store } from '../engine/index.ts';
import type { CliContext } from './context.ts';

/** Which store is meant. */
export interface StoreFlags {
  readonly store?: string;
}

/** Adds the flag that says which store is meant. */
export function addStoreFlag(command: Command): Command {
  return command.option(
    '--store <folder>',
    "images of the native engine (default: in the user's data folder)",
  );
}

/** Does work on a store, which is left afterwards. */
export async function withStore(
  flags: StoreFlags,
  context: CliContext,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const [{ inWorkplace, withEngine }, { parseNative, Store }, { resolve }] = await Promise.all([
    import('./with-engine.ts'),
    import('../engine/index.ts'),
    import('node:path'),
  ]);
  const folder = flags.store === undefined ? undefined : resolve(context.cwd, flags.store);
  await inWorkplace(context, (workplace) =>
    // Whoever is not root sees all of a store only where the engine does.
    withEngine({ engine: 'native', store: folder }, context, workplace, async () => {
      const { env, home, now } = context;
      const options = { env, home, now, runId: workplace.name, store: folder };
      const address = parseNative('native', options);
      if (address === undefined) throw new Error('native is no address of a native engine');
      const store = new Store({ folder: address.folder, runId: `${workplace.name}-store`, form: 'trusted' });
      try {
        await work(store);
      } finally {
        await store.close();
      }
    }),
  );
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** Reads an amount of bytes, such as `500MB`, `20G` or `1.5GiB`. Throws an InvalidArgumentError. */
export function bytes(value: string): number {
  const [, number = '', unit = '', binary] = /^(\d{1,9}(?:\.\d{1,3})?)\s*([kmgt]?)(i?)b?$/i.exec(value) ?? [];
  const factor = units[unit.toLowerCase()];
  if (number === '' || factor === undefined)
    throw new InvalidArgumentError('Expected an amount such as 500MB, 20G or 1.5GiB.');
  const power = ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase());
  return Math.floor(Number(number) * (binary ? 1024 ** power : factor));
}

const ages: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Reads an age, such as `90m`, `12h`, `30d` or `4w`, in milliseconds. Throws an InvalidArgumentError. */
export function age(value: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhdw])$/.exec(value) ?? [];
  const factor = ages[unit];
  if (number === '' || factor === undefined)
    throw new InvalidArgumentError('Expected an age such as 90m, 12h, 30d or 4w.');
  return Number(number) * factor * 1000;
}
