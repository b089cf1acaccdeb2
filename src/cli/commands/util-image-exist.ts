import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument } from '../flags/arguments.ts';
import { registryFlags } from '../flags/images.ts';
import type { PlaceWords } from '../image-work.ts';
import { unusedPlaces } from '../places.ts';

/** `util image-exist`. */
export default class UtilImageExist extends LuetCommand<typeof UtilImageExist> {
  static override description = 'Checks whether a registry has an image: exit code 0 if it does, 1 if not';
  static override args = {
    image: argument('a name, such as registry.example.org/a/b:1; or a place, such as oci:FOLDER'),
  };
  static override flags = registryFlags;
  static override examples = [
    {
      command: 'luet-ts util image-exist quay.io/a/b:1 || build-it',
      description: 'only what does not exist yet',
    },
    { command: 'luet-ts util image-exist oci:images/base:1', description: 'an image in a folder' },
  ];

  override check(): void {
    this.refuseUnused(unusedPlaces({ read: [this.args.image] }));
  }

  override run(): Promise<void> {
    return exists(this.args.image, this.flags, this.context);
  }
}

async function exists(image: string, flags: PlaceWords, context: CliContext): Promise<void> {
  const { imageWork } = await import('../image-work.ts');
  await imageWork(flags, context, async ({ places }) => {
    const where = await places.parse(image);
    // Only the image itself tells what it is for.
    if (where.kind === 'path' || flags.platform !== undefined) {
      const word = where.kind === 'path' ? image : `docker://${where.name}`;
      await (await places.open(word, () => {})).close();
    } else if ((await (await places.registry()).resolve(where.name, context.signal)) === undefined)
      context.setExitCode(1);
  });
}
