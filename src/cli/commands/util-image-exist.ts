import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { addRegistryFlags, refuseUnusedPlaces } from '../places.ts';

/** Adds `util image-exist`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('image-exist')
    .description('Says by its exit code whether a registry has an image: 0 where it does, 1 where not')
    .argument('<image>', 'a name, such as registry.example.org/a/b:1; or a place, such as oci:FOLDER');
  addRegistryFlags(command).action((image: string, flags: PlaceWords) => {
    refuseUnusedPlaces(command, { read: [image] });
    return exists(image, flags, context);
  });
  addExamples(command, [
    ['luet-ts util image-exist quay.io/a/b:1 || build-it', 'only what is not there yet'],
    ['luet-ts util image-exist oci:images/base:1', 'of a folder'],
  ]);
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
