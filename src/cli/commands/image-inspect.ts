import { type Command, Option } from 'commander';
import type { Configuration, Descriptor } from '../../image/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { addEngineFlag, addRegistryFlags, refuseUnusedPlaces } from '../places.ts';
import { oneOf } from '../trees.ts';

interface Flags extends PlaceWords {
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** Adds `image inspect`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('inspect')
    .description('Says what an image is, wherever it lies')
    .argument('<place>', 'a name in the engine or, where that does not hold it, in a registry; or a place');
  addRegistryFlags(addEngineFlag(command))
    .addOption(
      new Option('-o, --output <format>', 'terminal, json or yaml')
        .argParser(oneOf('terminal', 'json', 'yaml'))
        .default('terminal'),
    )
    .action((place: string, flags: Flags) => {
      refuseUnusedPlaces(command, { read: [place] });
      return inspect(place, flags, context);
    });
  addExamples(command, [
    ['luet-ts image inspect debian:12', 'of the engine'],
    ['luet-ts image inspect docker://debian:12 -o json', 'of a registry'],
    ['luet-ts image inspect oci:images/base', 'of a folder'],
  ]);
}

/** What is told of an image. */
interface Answer {
  readonly digest: string;
  readonly mediaType: string;
  readonly id: string;
  readonly platform: string;
  readonly created: string | null;
  readonly layers: readonly (Pick<Descriptor, 'mediaType' | 'digest' | 'size'> & {
    readonly diffId: string;
  })[];
  readonly config: NonNullable<Configuration['config']>;
}

async function inspect(place: string, flags: Flags, context: CliContext): Promise<void> {
  const [{ imageWork }, { printData }, { digestOf, formatPlatform }] = await Promise.all([
    import('../image-work.ts'),
    import('../packages.ts'),
    import('../../image/index.ts'),
  ]);
  await imageWork(flags, context, async ({ places, transfers }) => {
    const reading = transfers.begin(place, 'reading');
    const opened = await places.open(place, reading.onBytes);
    try {
      const { image } = opened;
      const { digest, mediaType } = await image.descriptor();
      const configuration = await image.configuration();
      const answer: Answer = {
        digest,
        mediaType,
        id: digestOf(await image.rawConfiguration()),
        platform: formatPlatform(configuration),
        created: configuration.created ?? null,
        layers: await Promise.all(
          (await image.layers()).map(async (layer) => {
            const { mediaType, digest, size } = await layer.descriptor();
            return { mediaType, digest, size, diffId: await layer.diffId() };
          }),
        ),
        config: configuration.config ?? {},
      };
      reading.fail();
      transfers.end();
      if (flags.output === 'terminal') await print(answer, context);
      else await printData(flags.output, answer, context);
    } finally {
      reading.fail();
      await opened.close();
    }
  });
}

async function print({ config, ...answer }: Answer, { stdout }: CliContext): Promise<void> {
  const [{ escapeTerminal }, { size }] = await Promise.all([
    import('../../diagnostic/index.ts'),
    import('../units.ts'),
  ]);
  const rows: (readonly [string, string])[] = [
    ['digest', answer.digest],
    ['id', answer.id],
    ['platform', answer.platform],
    ['created', answer.created ?? 'not told'],
    ...(config.Env ?? []).map((one) => ['env', one] as const),
    ...(config.Cmd == null ? [] : [['command', JSON.stringify(config.Cmd)] as const]),
    ...Object.entries(config.Labels ?? {}).map(([name, value]) => ['label', `${name}=${value}`] as const),
    ...answer.layers.map(({ digest, size: bytes }) => ['layer', `${digest}  ${size(bytes)}`] as const),
  ];
  stdout.write(rows.map(([name, value]) => `${name.padEnd(10)}${escapeTerminal(value)}\n`).join(''));
}
