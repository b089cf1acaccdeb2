import { type Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { addStoreFlag, type StoreFlags } from '../store.ts';
import { oneOf } from '../trees.ts';

interface Flags extends StoreFlags {
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** Adds `store du`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('du')
    .description("Says what takes room in the native engine's store: images, the least recently used first");
  addStoreFlag(command)
    .addOption(
      new Option('-o, --output <format>', 'terminal, json or yaml')
        .argParser(oneOf('terminal', 'json', 'yaml'))
        .default('terminal'),
    )
    .action((flags: Flags) => du(flags, context));
  addExamples(command, [
    ['luet-ts store du', 'all images'],
    ['luet-ts store du -o json', 'as data, with layers'],
  ]);
}

async function du(flags: Flags, context: CliContext): Promise<void> {
  const [{ withStore }, { usageOf }, { printData }, { escapeTerminal }, { size }] = await Promise.all([
    import('../store.ts'),
    import('../../engine/index.ts'),
    import('../packages.ts'),
    import('../../diagnostic/index.ts'),
    import('../units.ts'),
  ]);
  await withStore(flags, context, async (store) => {
    const { images, layers, leftover, total } = usageOf(store);
    if (flags.output !== 'terminal') {
      const users = Map.groupBy(
        images.flatMap(({ name, layers: ids }) => ids.map((id) => ({ id, name }))),
        ({ id }) => id,
      );
      const data = {
        store: store.folder,
        total,
        leftover,
        images: images.map((one) => ({ ...one, used: new Date(one.used).toISOString() })),
        layers: [...layers].map(([id, bytes]) => ({
          id,
          size: bytes,
          images: (users.get(id) ?? []).map(({ name }) => name),
        })),
      };
      return await printData(flags.output, data, context);
    }
    const rows = images.map(
      ({ name, used, size: all, own }) =>
        `${new Date(used).toISOString().slice(0, 16).replace('T', ' ')}  ${size(all).padStart(9)}  ${size(own).padStart(9)}  ${escapeTerminal(name)}`,
    );
    if (rows.length > 0)
      rows.unshift(`${'last used'.padEnd(16)}  ${'size'.padStart(9)}  ${'own'.padStart(9)}  image`);
    rows.push(
      `${images.length} images, ${layers.size} layers, ${size(total)} in ${escapeTerminal(store.folder)}`,
    );
    if (leftover > 0) rows.push(`${size(leftover)} that no image has: see luet-ts store gc`);
    context.stdout.write(`${rows.join('\n')}\n`);
  });
}
