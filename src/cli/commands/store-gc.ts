import type { Command } from 'commander';
import type { Garbage, Store } from '../../store/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { addStoreFlags, age, bytes, minute, type StoreFlags, shownImage, table } from '../store.ts';

interface Flags extends StoreFlags {
  readonly keep?: number;
  readonly olderThan?: number;
  readonly dryRun?: boolean;
}

/** Adds `store gc`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('gc')
    .description(
      "Removes from the native engine's store what nothing uses and, with a limit, images, the least recently used first",
    );
  addStoreFlags(command)
    .option('--keep <size>', 'remove images until no more than this is taken, such as 20GB', bytes)
    .option('--older-than <age>', 'remove images that were not used for this long, such as 30d', age)
    .option('--dry-run', 'only say what would be removed, and how much that is')
    .action((flags: Flags) => gc(flags, context));
  addExamples(command, [
    ['luet-ts store gc', 'only what nothing refers to'],
    ['luet-ts store gc --older-than 30d', 'also images that were not used for a month'],
    ['luet-ts store gc --keep 20GB --dry-run', 'what would go so that 20 GB are left'],
  ]);
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
