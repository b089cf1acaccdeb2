import { type Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { addEngineFlag } from '../places.ts';
import { noteMissingEngineStore } from '../store.ts';
import { oneOf } from '../trees.ts';

interface Flags extends PlaceWords {
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** Adds `image ls`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('ls')
    .description('Lists the images that the engine holds, by name')
    .argument('[repository]', 'only names that begin with this');
  addEngineFlag(command)
    .addOption(
      new Option('-o, --output <format>', 'terminal, json or yaml')
        .argParser(oneOf('terminal', 'json', 'yaml'))
        .default('terminal'),
    )
    .action((repository: string | undefined, flags: Flags) => ls(repository, flags, context));
  addExamples(command, [
    ['luet-ts image ls', 'all'],
    ['luet-ts image ls luet/cache -o json', 'package images, as data'],
  ]);
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
