import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { minute, type StoreFlags, shownImage, storeFlags, table } from '../store.ts';

/** `store du`. */
export default class StoreDu extends LuetCommand<typeof StoreDu> {
  static override description =
    "Lists the images in the native engine's store and their sizes, the least recently used first";
  static override flags = storeFlags;
  static override examples = [
    { command: 'luet-ts store du', description: 'all images' },
    { command: 'luet-ts store du -o json', description: 'as data, with layers' },
  ];

  override run(): Promise<void> {
    return du(this.flags, this.context);
  }
}

async function du(flags: StoreFlags, context: CliContext): Promise<void> {
  const [{ withStore }, { garbageOf }, { labels }, { printData }, { escapeTerminal }, { size }] =
    await Promise.all([
      import('../store.ts'),
      import('../../store/index.ts'),
      import('../../cache/index.ts'),
      import('../packages.ts'),
      import('../../diagnostic/index.ts'),
      import('../units.ts'),
    ]);
  await withStore(flags, context, async (store) => {
    const { use, size: garbage } = garbageOf(store);
    const { layers, leftover, total } = use;
    const images = use.images.map((image) => shownImage(image, labels.package));
    if (flags.output !== 'terminal') {
      const users = Map.groupBy(
        images.flatMap(({ name, layers: ids }) => ids.map((id) => ({ id, name }))),
        ({ id }) => id,
      );
      const shownLayers = [...layers].map(([id, bytes]) => ({
        id,
        size: bytes,
        images: (users.get(id) ?? []).map(({ name }) => name),
      }));
      const data = { store: store.folder, total, leftover, garbage, images, layers: shownLayers };
      return await printData(flags.output, data, context);
    }
    const rows = images.map((one) => [
      minute(one.used),
      size(one.size),
      size(one.own),
      one.package ?? '',
      one.name,
    ]);
    const head = ['last used', 'size', 'own', 'package', 'image'];
    const lines = [...(rows.length > 0 ? table([head, ...rows], [1, 2]) : [])];
    lines.push(`${images.length} images, ${layers.size} layers, ${size(total)} in ${store.folder}`);
    if (garbage > 0) lines.push(`${size(garbage)} that nothing uses: luet-ts store gc removes it`);
    context.stdout.write(`${lines.map(escapeTerminal).join('\n')}\n`);
  });
}
