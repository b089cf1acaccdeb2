import type { VerifiedLayer } from '../../store/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { type StoreFlags, storeFlags } from '../store.ts';

/** `store verify`. */
export default class StoreVerify extends LuetCommand<typeof StoreVerify> {
  static override description = "Reads every layer of the native engine's store, and reports damaged layers";
  static override flags = storeFlags;
  static override examples = [
    { command: 'luet-ts store verify', description: 'all layers that images have' },
  ];

  override run(): Promise<void> {
    return verify(this.flags, this.context);
  }
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
