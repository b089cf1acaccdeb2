import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { addStoreFlag, age, bytes, type StoreFlags } from '../store.ts';

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
      "Makes room in the native engine's store: removes what no image has, and images beyond the limits given, the least recently used first; never what a run that goes on uses",
    );
  addStoreFlag(command)
    .option('--keep <size>', 'remove images until no more than this is taken, such as 20GB', bytes)
    .option('--older-than <age>', 'remove images that were not used for this long, such as 30d', age)
    .option('--dry-run', 'only say what would be removed')
    .action((flags: Flags) => gc(flags, context));
  addExamples(command, [
    ['luet-ts store gc', 'only what nothing refers to'],
    ['luet-ts store gc --older-than 30d', 'also what was not used for a month'],
    ['luet-ts store gc --keep 20GB', 'also what is beyond 20 GB'],
  ]);
}

async function gc(flags: Flags, context: CliContext): Promise<void> {
  const [{ withStore }, { surplus, usageOf }, { escapeTerminal }, { size }] = await Promise.all([
    import('../store.ts'),
    import('../../engine/index.ts'),
    import('../../diagnostic/index.ts'),
    import('../units.ts'),
  ]);
  const { keep, olderThan, dryRun } = flags;
  await withStore(flags, context, async (store) => {
    if (dryRun !== true) await store.sweep();
    const before = usageOf(store);
    const limits = {
      ...(keep === undefined ? {} : { keep }),
      ...(olderThan === undefined ? {} : { before: context.now().getTime() - olderThan }),
    };
    const given = surplus(before, limits);
    const runs = store.otherRuns();
    const { stdout, stderr, display } = context;
    if (given.length > 0 && runs.length > 0) {
      // Which images they found and are about to use, only they know.
      const many = runs.length === 1 ? 'a run goes on' : `${runs.length} runs go on`;
      stderr.write(`${many} with this store: its images stay until the next time\n`);
      context.setExitCode(1);
    } else {
      for (const { name, own } of given) {
        context.signal.throwIfAborted();
        if (!display.quiet) stdout.write(`${escapeTerminal(name)}  ${size(own)}\n`);
      }
      if (dryRun !== true) await store.remove(...given.map(({ name }) => name));
    }
    if (dryRun === true) return;
    await store.collect();
    const after = usageOf(store);
    if (!display.quiet)
      stderr.write(`${size(before.total - after.total)} freed, ${size(after.total)} taken\n`);
  });
}
