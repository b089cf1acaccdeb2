import type { Configuration, Descriptor } from '../../image/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument } from '../flags/arguments.ts';
import { imageEngineFlags, registryFlags } from '../flags/images.ts';
import { outputFlag } from '../flags/packages.ts';
import type { PlaceWords } from '../image-work.ts';
import { unusedPlaces } from '../places.ts';

interface Flags extends PlaceWords {
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** `image inspect`. */
export default class ImageInspect extends LuetCommand<typeof ImageInspect> {
  static override description = 'Shows what an image is: digests, platform, environment, labels and layers';
  static override args = {
    place: argument('name in the engine or, if the engine does not hold it, in a registry; or another place'),
  };
  static override flags = { ...imageEngineFlags, ...registryFlags, output: outputFlag };
  static override examples = [
    { command: 'luet-ts image inspect debian:12', description: 'an image of the engine' },
    { command: 'luet-ts image inspect docker://debian:12 -o json', description: 'an image of a registry' },
    { command: 'luet-ts image inspect oci:images/base', description: 'an image in a folder' },
  ];

  override check(): void {
    this.refuseUnused(unusedPlaces({ read: [this.args.place] }));
  }

  override run(): Promise<void> {
    return inspect(this.args.place, this.flags, this.context);
  }
}

/** What is printed about an image. */
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
    ['created', answer.created ?? 'not known'],
    ...(config.Env ?? []).map((one) => ['env', one] as const),
    ...(config.User ? [['user', config.User] as const] : []),
    ...(config.WorkingDir ? [['workdir', config.WorkingDir] as const] : []),
    ...(config.Entrypoint == null ? [] : [['entrypoint', JSON.stringify(config.Entrypoint)] as const]),
    ...(config.Cmd == null ? [] : [['command', JSON.stringify(config.Cmd)] as const]),
    ...Object.entries(config.Labels ?? {}).map(([name, value]) => ['label', `${name}=${value}`] as const),
    ...answer.layers.map(({ digest, size: bytes }) => ['layer', `${digest}  ${size(bytes)}`] as const),
  ];
  stdout.write(rows.map(([name, value]) => `${name.padEnd(12)}${escapeTerminal(value)}\n`).join(''));
}
