import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { refused } from '../options.ts';
import { addEngineFlag, addRegistryFlags, kindOf, refuseUnusedPlaces } from '../places.ts';
import { refuseUnused } from '../unused.ts';

interface Flags extends PlaceWords {
  readonly local?: boolean;
}

/** Adds `util unpack`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('unpack')
    .description('Unpacks an image into a folder, with owners, modes and devices; best done as root')
    .argument('<image>', 'a name in a registry, or a place such as oci:FOLDER')
    .argument('<folder>', 'where to; made where it is missing, and what is there already stays');
  addRegistryFlags(addEngineFlag(command))
    .option('--local', "take the engine's image of that name")
    .action((image: string, folder: string, flags: Flags) => {
      const isName = kindOf(image) === 'engine';
      refuseUnused(command, { local: isName ? undefined : `${image} does not name an image of an engine` });
      // A name without --local is that of a registry's image.
      refuseUnusedPlaces(command, { read: [isName && flags.local !== true ? `docker://${image}` : image] });
      return unpack(image, folder, flags, context);
    });
  for (const flag of ['username', 'password', 'type', 'server-address', 'identity-token', 'registry-token'])
    refused(command, `--auth-${flag} <value>`, 'use docker login, or a credential helper');
  refused(command, '--verify', 'signatures are not looked at; name the image by its digest');
  addExamples(command, [
    ['luet-ts util unpack quay.io/a/b:1 rootfs', 'from a registry'],
    ['luet-ts util unpack --local luet/cache:4df753ed… rootfs', 'from the engine'],
    ['luet-ts util unpack oci-archive:base.tar rootfs', 'from an archive'],
  ]);
}

async function unpack(
  image: string,
  folder: string,
  { local, ...flags }: Flags,
  context: CliContext,
): Promise<void> {
  const [{ imageWork }, { resolve }, { readdir }] = await Promise.all([
    import('../image-work.ts'),
    import('node:path'),
    import('node:fs/promises'),
  ]);
  await imageWork(flags, context, async ({ places, transfers, workplace }) => {
    const [{ extractImage, writeFolder }, { noSuchImage }, { checkWritable, isFolderThere, reading }] =
      await Promise.all([
        import('../../image/index.ts'),
        import('../places.ts'),
        import('../../disk/index.ts'),
      ]);
    const where = await places.parse(image);
    const isRemote = where.kind === 'engine' && local !== true;
    if (local === true && where.kind === 'engine') {
      const held = await (await places.engine()).resolve(where.name, { pull: false });
      if (held === undefined) throw await noSuchImage(image, 'held');
    }
    const one = transfers.begin(image, 'unpacking');
    const opened = await places.open(isRemote ? `docker://${image}` : image, one.onBytes);
    try {
      const target = resolve(context.cwd, folder);
      const owners = process.geteuid?.() === 0 ? 'keep' : 'none';
      const options = {
        signal: context.signal,
        owners,
        devices: owners === 'keep' ? 'make' : 'skip',
      } as const;
      const isFull = isFolderThere(target) && (await reading(target, () => readdir(target))).length > 0;
      if (isFull) checkWritable(target);
      // Where nothing is yet, there is all of it or nothing.
      const { skippedDevices } = isFull
        ? await extractImage(opened.image, target, options)
        : await writeFolder(target, workplace, (aside) => extractImage(opened.image, aside, options));
      one.done(skippedDevices === 0 ? 'unpacked' : `unpacked without ${skippedDevices} devices`);
    } finally {
      one.fail();
      await opened.close();
    }
  });
}
