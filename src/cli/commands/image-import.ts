import type { Compression } from '../../tar/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument, oneOrMore } from '../flags/arguments.ts';
import { withValue } from '../flags/define.ts';
import { imageEngineFlags, layerCompressionFlag, plainHttpFlag } from '../flags/images.ts';
import { settingFlags } from '../flags/settings.ts';
import { platform } from '../flags/values.ts';
import { type SettingFlags, settingsOf } from '../image-settings.ts';
import type { PlaceWords } from '../image-work.ts';
import { unusedPlaces } from '../places.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends PlaceWords, SettingFlags {
  readonly compression?: Compression;
}

/** `image import`. */
export default class ImageImport extends LuetCommand<typeof ImageImport> {
  static override description =
    'Makes an image from root file systems or from the archives of packages, each as a layer';
  static override args = {
    source: oneOrMore('folder, or tar archive, plain or compressed with gzip or zstd; - for standard input'),
    name: argument('name of the image in the engine, or a place'),
  };
  static override flags = {
    ...imageEngineFlags,
    'plain-http': plainHttpFlag,
    compression: layerCompressionFlag,
    ...settingFlags,
    platform: withValue({
      value: '<platform>',
      summary: 'platform that the image is for, such as linux/arm64 (default: this machine)',
      read: platform,
    }),
  };
  static override examples = [
    { command: 'luet-ts image import rootfs.tar.zst local/base:1', description: 'an archive' },
    { command: 'luet-ts image import --env LANG=C.UTF-8 rootfs local/base:1', description: 'a folder' },
    {
      command: 'tar -c -C rootfs . | luet-ts image import - local/base:1',
      description: 'the output of another program',
    },
    {
      command: 'luet-ts image import --cmd hello --user 65534 out/*.package.tar local/hello:1',
      description: 'contents of packages, and what runs',
    },
  ];

  override check(): void {
    this.refuseUnused(unusedPlaces({ write: [this.args.name] }));
    if (this.args.source.filter((one) => one === '-').length > 1)
      throw new UsageError('- can be given only once: standard input can be read only once');
  }

  override run(): Promise<void> {
    return importImage(this.args.source, this.args.name, this.flags, this.context);
  }
}

async function importImage(
  sources: readonly string[],
  name: string,
  flags: Flags,
  context: CliContext,
): Promise<void> {
  const [{ imageWork, writeCompressed }, { resolve, join }, { platformOf }] = await Promise.all([
    import('../image-work.ts'),
    import('node:path'),
    import('../places.ts'),
  ]);
  const wanted = await platformOf(flags.platform);
  await imageWork(flags, context, async (tools) => {
    const { places, transfers, workplace } = tools;
    const { rootfsLayersImage } = await import('../../image/index.ts');
    const { signal } = context;
    const to = await places.parse(name);
    // Before standard input is read, because a native engine may have to start this process again.
    if (to.kind === 'engine') await places.engine();
    const one = transfers.begin(name, 'importing');
    try {
      const input = join(workplace.temporary, 'rootfs');
      if (sources.includes('-')) await spool(context, input);
      const paths = sources.map((source) => (source === '-' ? input : resolve(context.cwd, source)));
      const image = await rootfsLayersImage(paths, {
        ...settingsOf(flags),
        signal,
        ...(wanted === undefined ? {} : { platform: wanted }),
      });
      await writeCompressed(tools, to, image, flags.compression, one.onBytes);
      one.done('imported');
    } finally {
      one.fail();
    }
  });
}

/** An archive has to be read twice: once for its digest. */
async function spool({ stdin, signal }: CliContext, path: string): Promise<void> {
  const [{ Readable }, { writeTemporaryFile }] = await Promise.all([
    import('node:stream'),
    import('../../disk/index.ts'),
  ]);
  await writeTemporaryFile(path, Readable.from(stdin, { signal }), { signal });
}
