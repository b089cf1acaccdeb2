import { type Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { addEngineFlag, platform } from '../places.ts';

interface Flags extends PlaceWords {
  readonly env?: readonly string[];
}

/** Adds `image import`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('import')
    .description('Makes an image of one layer out of a root file system')
    .argument('<source>', 'a folder, or a tar archive, plain or compressed with gzip or zstd; - reads it')
    .argument('<name>', 'what the image is called in the engine, or a place');
  addEngineFlag(command)
    .option('--env <variable>', 'NAME=value, set for what runs in it (repeatable)', variable)
    .option('--platform <platform>', 'what it runs on, such as linux/arm64 (default: this machine)', platform)
    .action((source: string, name: string, flags: Flags) => importImage(source, name, flags, context));
  addExamples(command, [
    ['luet-ts image import rootfs.tar.zst local/base:1', 'an archive'],
    ['luet-ts image import --env LANG=C.UTF-8 rootfs local/base:1', 'a folder'],
    [
      'debootstrap … && tar -c -C rootfs . | luet-ts image import - local/base:1',
      'what another program writes',
    ],
  ]);
}

/** Reads `--env`. Values may have commas in them. */
function variable(value: string, previous: readonly string[] | undefined): string[] {
  if (!/^[^=\0]+=[^\0]*$/.test(value)) throw new InvalidArgumentError('Expected NAME=value.');
  return [...(previous ?? []), value];
}

async function importImage(source: string, name: string, flags: Flags, context: CliContext): Promise<void> {
  const [{ imageWork }, { resolve, join }, { platformOf }] = await Promise.all([
    import('../image-work.ts'),
    import('node:path'),
    import('../places.ts'),
  ]);
  const { env = [], platform: text, ...others } = flags;
  const wanted = await platformOf(text);
  await imageWork(others, context, async ({ places, transfers, workplace }) => {
    const { rootfsImage } = await import('../../image/index.ts');
    const { signal } = context;
    const to = await places.parse(name);
    // Before standard input is read: a native engine may have to begin this process anew.
    if (to.kind === 'engine') await places.engine();
    const one = transfers.begin(name, 'importing');
    try {
      const path = source === '-' ? join(workplace.temporary, 'rootfs') : resolve(context.cwd, source);
      if (source === '-') await spool(context, path);
      const image = await rootfsImage(path, {
        env,
        signal,
        ...(wanted === undefined ? {} : { platform: wanted }),
      });
      await places.write(to, image, { onBytes: one.onBytes });
      one.done('imported');
    } finally {
      one.fail();
    }
  });
}

/** An archive has to be read twice: once for its digest. */
async function spool({ stdin, signal }: CliContext, path: string): Promise<void> {
  const [{ pipeline }, { createWriteStream }] = await Promise.all([
    import('node:stream/promises'),
    import('node:fs'),
  ]);
  await pipeline(stdin, createWriteStream(path), { signal });
}
