import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument } from '../flags/arguments.ts';
import { refused, refusedValue, toggle } from '../flags/define.ts';
import { imageEngineFlags, registryFlags } from '../flags/images.ts';
import type { PlaceWords } from '../image-work.ts';
import { kindOf, unusedPlaces } from '../places.ts';

interface Flags extends PlaceWords {
  readonly local?: boolean;
}

const login = (): ReturnType<typeof refusedValue> => refusedValue('use docker login, or a credential helper');

/** `util unpack`. */
export default class UtilUnpack extends LuetCommand<typeof UtilUnpack> {
  static override description =
    'Unpacks an image into a folder, with owners, modes and devices; best run as root';
  static override args = {
    image: argument('a name in a registry, or a place such as oci:FOLDER'),
    folder: argument('folder to write to; it is made if missing, and what is in it stays'),
  };
  static override flags = {
    ...imageEngineFlags,
    ...registryFlags,
    local: toggle({ summary: "use the engine's image of that name" }),
    'auth-username': login(),
    'auth-password': login(),
    'auth-type': login(),
    'auth-server-address': login(),
    'auth-identity-token': login(),
    'auth-registry-token': login(),
    verify: refused('signatures are not checked; name the image by its digest'),
  };
  static override examples = [
    { command: 'luet-ts util unpack quay.io/a/b:1 rootfs', description: 'from a registry' },
    {
      command: 'luet-ts util unpack --local luet/cache:4df753ed… rootfs',
      description: 'from the engine',
    },
    { command: 'luet-ts util unpack oci-archive:base.tar rootfs', description: 'from an archive' },
  ];

  override check(): void {
    const { image } = this.args;
    const { local } = this.flags;
    const isName = kindOf(image) === 'engine';
    this.refuseUnused({ local: isName ? undefined : `${image} does not name an image of an engine` });
    // A name without --local is that of a registry's image.
    this.refuseUnused(unusedPlaces({ read: [isName && local !== true ? `docker://${image}` : image] }));
  }

  override run(): Promise<void> {
    return unpack(this.args.image, this.args.folder, this.flags, this.context);
  }
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
