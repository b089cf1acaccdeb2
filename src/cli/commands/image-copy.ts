import type { Command } from 'commander';
import type { Compression } from '../../tar/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { addCompressionFlag, addEngineFlag, addRegistryFlags, refuseUnusedPlaces } from '../places.ts';

interface Flags extends PlaceWords {
  readonly compression?: Compression;
}

/** Adds `image copy`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('copy')
    .description(
      'Copies an image from one place to another: a name in the engine, docker://NAME in a registry, oci:FOLDER[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], rootfs:FOLDER',
    )
    .argument('<source>', 'a name that the engine does not hold is looked for in its registry')
    .argument('<destination>', 'where to');
  addCompressionFlag(addRegistryFlags(addEngineFlag(command))).action(
    (source: string, destination: string, flags: Flags) => {
      refuseUnusedPlaces(command, { read: [source], write: [destination] });
      return copy(source, destination, flags, context);
    },
  );
  addExamples(command, [
    ['luet-ts image copy docker://debian:12 oci:images/debian:12', 'from a registry into a folder'],
    ['luet-ts image copy debian:12 docker-archive:debian.tar:debian:12', 'from the engine into an archive'],
    ['luet-ts image copy oci-archive:base.tar local/base:1', 'from an archive into the engine'],
    ['luet-ts image copy docker://debian:12 docker://localhost:5000/debian:12', 'between registries'],
  ]);
}

async function copy(source: string, destination: string, flags: Flags, context: CliContext): Promise<void> {
  const { imageWork, transfer } = await import('../image-work.ts');
  await imageWork(flags, context, async (tools) => {
    const to = await tools.places.parse(destination);
    await transfer(tools, source, to, ['copying', 'copied'], flags.compression);
  });
}
