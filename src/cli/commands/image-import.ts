import type { Command } from 'commander';
import type { Compression } from '../../tar/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { addSettingFlags, type SettingFlags, settingsOf } from '../image-settings.ts';
import type { PlaceWords } from '../image-work.ts';
import {
  addCompressionFlag,
  addEngineFlag,
  addPlainHttpFlag,
  platform,
  refuseUnusedPlaces,
} from '../places.ts';

interface Flags extends PlaceWords, SettingFlags {
  readonly compression?: Compression;
}

/** Adds `image import`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('import')
    .description('Makes an image out of root file systems or of the archives of packages, a layer of each')
    .usage('[options] <source...> <name>')
    .argument('<source>', 'a folder, or a tar archive, plain or compressed with gzip or zstd; - reads one')
    .argument('<name...>', 'what the image is called in the engine, or a place; before it, more sources');
  addSettingFlags(addCompressionFlag(addPlainHttpFlag(addEngineFlag(command))))
    .option('--platform <platform>', 'what it runs on, such as linux/arm64 (default: this machine)', platform)
    .action((source: string, more: readonly string[], flags: Flags) => {
      const name = more.at(-1) ?? '';
      const sources = [source, ...more.slice(0, -1)];
      refuseUnusedPlaces(command, { write: [name] });
      if (sources.filter((one) => one === '-').length > 1)
        command.error('error: standard input is read once: give - once');
      return importImage(sources, name, flags, context);
    });
  addExamples(command, [
    ['luet-ts image import rootfs.tar.zst local/base:1', 'an archive'],
    ['luet-ts image import --env LANG=C.UTF-8 rootfs local/base:1', 'a folder'],
    [
      'debootstrap … && tar -c -C rootfs . | luet-ts image import - local/base:1',
      'what another program writes',
    ],
    [
      'luet-ts image import --cmd hello --user 65534 out/*.package.tar local/hello:1',
      'contents of packages, and what runs',
    ],
  ]);
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
    // Before standard input is read: a native engine may have to begin this process anew.
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
