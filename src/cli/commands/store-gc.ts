import type { Garbage, Store } from '../../store/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { toggle, withValue } from '../flags/define.ts';
import { age, diskSize } from '../flags/values.ts';
import { minute, type StoreFlags, shownImage, storeFlags, table } from '../store.ts';

interface Flags extends StoreFlags {
  readonly keep?: number;
  readonly olderThan?: number;
  readonly dryRun?: boolean;
}

/** `store gc`. */
export default class StoreGc extends LuetCommand<typeof StoreGc> {
  static override description = [
    "Removes from the native engine's store what nothing uses",
    'With a limit it also removes images, the least recently used first.',
  ].join('\n');
  static override flags = {
    ...storeFlags,
    keep: withValue({
      value: '<size>',
      summary: 'remove images until the store is not larger than this, such as 20GB',
      description:
        'Sizes are written as for coreutils: 20G and 20GiB are 20 · 2^30 bytes, 20GB are 20 · 10^9.',
      read: diskSize,
    }),
    'older-than': withValue({
      value: '<age>',
      summary: 'remove images that were not used for this long, such as 30d',
      description: 'Ages are such as 90m, 12h, 30d or 4w.',
      read: age,
    }),
    'dry-run': toggle({ summary: 'only print what would be removed' }),
  };
  static override examples = [
    { command: 'luet-ts store gc', description: 'only what nothing refers to' },
    {
      command: 'luet-ts store gc --older-than 30d',
      description: 'also images that were not used for 30 days',
    },
    {
      command: 'luet-ts store gc --keep 20GB --dry-run',
      description: 'what would be removed so that 20 GB are left',
    },
  ];

  override run(): Promise<void> {
    return gc(this.flags, this.context);
  }
}

async function gc(flags: Flags, context: CliContext): Promise<void> {
  const [{ withStore }, { garbageOf }] = await Promise.all([
    import('../store.ts'),
    import('../../store/index.ts'),
  ]);
  const { keep, olderThan, dryRun = false } = flags;
  const limits = {
    ...(keep === undefined ? {} : { keep }),
    ...(olderThan === undefined ? {} : { before: context.now().getTime() - olderThan }),
  };
  await withStore(flags, context, async (store) => {
    let garbage = garbageOf(store, limits);
    const others = store.runs.others().length;
    if (garbage.images.length > 0 && others > 0) {
      // Which images the other runs have found and are about to use, only they know.
      const runs = others === 1 ? 'another run uses' : `${others} other runs use`;
      context.stderr.write(`${runs} this store, so no images are removed: try again when that has ended\n`);
      context.setExitCode(1);
      garbage = garbageOf(store);
    }
    context.signal.throwIfAborted();
    if (!dryRun) await remove(store, garbage);
    await show(store, garbage, flags, context);
  });
}

async function remove(store: Store, { images }: Garbage): Promise<void> {
  await store.sweep();
  await store.remove(...images.map(({ name }) => name));
  await store.collect();
}

/** Says what was removed, or would be: in a dry run all of it still counts as there. */
async function show(store: Store, garbage: Garbage, flags: Flags, context: CliContext): Promise<void> {
  const [{ labels }, { printData }, { escapeTerminal }, { size }] = await Promise.all([
    import('../../cache/index.ts'),
    import('../packages.ts'),
    import('../../diagnostic/index.ts'),
    import('../units.ts'),
  ]);
  const { dryRun = false, output } = flags;
  const { use, layers, runs } = garbage;
  const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, one) => total + one, 0);
  const inRuns = sum(runs.values());
  // What another run began to use meanwhile stays.
  const { layerUses } = await import('../../store/index.ts');
  const there = new Set(layerUses(store).map(({ id }) => id));
  const removed = sum([...use.layers].flatMap(([id, bytes]) => (there.has(id) ? [] : [bytes])));
  const freed = dryRun ? garbage.size : removed + inRuns;
  const left = use.total + inRuns - freed;
  const images = garbage.images.map((one) => ({ ...shownImage(one, labels.package), frees: one.frees }));
  if (output !== 'terminal') {
    const named = (sizes: ReadonlyMap<string, number>, key: string) =>
      [...sizes].map(([id, bytes]) => ({ [key]: id, size: bytes }));
    const shown = { images, layers: named(layers, 'id'), runs: named(runs, 'run') };
    return await printData(output, { store: store.folder, dryRun, freed, left, ...shown }, context);
  }
  const rows = images.map((one) => [minute(one.used), size(one.frees), one.package ?? '', one.name]);
  const other = (count: number, bytes: number, what: string): void => {
    if (count > 0) rows.push(['', size(bytes), '', `(${what})`]);
  };
  other(layers.size, sum(layers.values()), `layers that no image has: ${layers.size}`);
  other(runs.size, inRuns, `files of runs that were killed: ${runs.size}`);
  const head = ['last used', 'frees', 'package', 'image'];
  const lines = rows.length > 0 ? [...table([head, ...rows], [1])] : [];
  const verb = dryRun ? 'would be freed' : 'freed';
  lines.push(`${size(freed)} ${verb}, ${size(left)} left in ${store.folder}`);
  context.stdout.write(`${lines.map(escapeTerminal).join('\n')}\n`);
}
