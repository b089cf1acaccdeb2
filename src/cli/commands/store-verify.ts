import type { Command } from 'commander';
import type { VerifiedLayer } from '../../store/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { addStoreFlags, type StoreFlags } from '../store.ts';

/** Adds `store verify`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('verify')
    .description("Reads every layer of the native engine's store, and says which are not what was recorded");
  addStoreFlags(command).action((flags: StoreFlags) => verify(flags, context));
  addExamples(command, [['luet-ts store verify', 'all layers that images have']]);
}

async function verify(flags: StoreFlags, context: CliContext): Promise<void> {
  const [{ withStore }, { verifyStore }, { createTransfers }, { printData }, { escapeTerminal }] =
    await Promise.all([
      import('../store.ts'),
      import('../../store/index.ts'),
      import('../progress/transfers.ts'),
      import('../packages.ts'),
      import('../../diagnostic/index.ts'),
    ]);
  await withStore(flags, context, async (store) => {
    const transfers = createTransfers(context, () => performance.now());
    const layers: VerifiedLayer[] = [];
    const one = transfers.begin(store.folder, 'verifying');
    try {
      for await (const layer of verifyStore(store, context.signal, one.onBytes)) layers.push(layer);
      one.done('read');
    } finally {
      one.fail();
      transfers.end();
    }
    const damaged = layers.filter(({ state }) => state === 'damaged');
    if (damaged.length > 0) context.setExitCode(1);
    if (flags.output !== 'terminal') return await printData(flags.output, { layers }, context);
    const { stdout } = context;
    for (const { id, images, reason = '' } of damaged)
      stdout.write(`${escapeTerminal(`damaged: ${id}: ${reason}\n  in ${images.join(', ')}`)}\n`);
    const count = (state: VerifiedLayer['state']): number =>
      layers.filter((layer) => layer.state === state).length;
    stdout.write(
      `${layers.length} layers: ${count('verified')} verified, ${count('recorded')} recorded now, ${damaged.length} damaged\n`,
    );
  });
}
