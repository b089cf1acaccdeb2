import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { optionalArgument } from '../flags/arguments.ts';
import { imageEngineFlags } from '../flags/images.ts';
import { outputFlag } from '../flags/packages.ts';
import type { PlaceWords } from '../image-work.ts';
import { noteMissingEngineStore } from '../store.ts';

interface Flags extends PlaceWords {
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** `image ls`. */
export default class ImageLs extends LuetCommand<typeof ImageLs> {
  static override description = 'Lists the images that the engine holds, by name';
  static override args = { repository: optionalArgument('only names that begin with this') };
  static override flags = { ...imageEngineFlags, output: outputFlag };
  static override examples = [
    { command: 'luet-ts image ls', description: 'all images' },
    { command: 'luet-ts image ls luet/cache -o json', description: 'package images, as data' },
  ];

  override run(): Promise<void> {
    return ls(this.args.repository, this.flags, this.context);
  }
}

async function ls(repository: string | undefined, flags: Flags, context: CliContext): Promise<void> {
  const [{ imageWork }, { printData }, { escapeTerminal }, { size }] = await Promise.all([
    import('../image-work.ts'),
    import('../packages.ts'),
    import('../../diagnostic/index.ts'),
    import('../units.ts'),
  ]);
  await imageWork(flags, context, async ({ places }) => {
    await noteMissingEngineStore(flags, context);
    const held = await (await places.engine()).listAll();
    const images = held
      .flatMap(({ names, ...rest }) => names.map((name) => ({ name: plainName(name), ...rest })))
      .filter(({ name }) => repository === undefined || name.startsWith(repository))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    if (flags.output !== 'terminal') return await printData(flags.output, { images }, context);
    for (const { name, created, size: bytes } of images) {
      const when = new Date(created * 1000).toISOString().slice(0, 10);
      const row = [when, ...(bytes === undefined ? [] : [size(bytes).padStart(9)]), escapeTerminal(name)];
      context.stdout.write(`${row.join('  ')}\n`);
    }
  });
}

/** A name without what podman puts before it. */
const plainName = (name: string): string => name.replace(/^(?:localhost|docker\.io(?:\/library)?)\//, '');
