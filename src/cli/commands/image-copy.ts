import type { Compression } from '../../tar/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument } from '../flags/arguments.ts';
import { imageEngineFlags, layerCompressionFlag, registryFlags } from '../flags/images.ts';
import type { PlaceWords } from '../image-work.ts';
import { unusedPlaces } from '../places.ts';

interface Flags extends PlaceWords {
  readonly compression?: Compression;
}

/** `image copy`. */
export default class ImageCopy extends LuetCommand<typeof ImageCopy> {
  static override description = [
    'Copies an image from one place to another',
    'Places are a name in the engine, docker://NAME in a registry, oci:FOLDER[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] and rootfs:FOLDER.',
  ].join('\n');
  static override args = {
    source: argument('place to copy from; a name that the engine does not hold is searched in its registry'),
    destination: argument('place to copy to'),
  };
  static override flags = { ...imageEngineFlags, ...registryFlags, compression: layerCompressionFlag };
  static override examples = [
    {
      command: 'luet-ts image copy docker://debian:12 oci:images/debian:12',
      description: 'from a registry into a folder',
    },
    {
      command: 'luet-ts image copy debian:12 docker-archive:debian.tar:debian:12',
      description: 'from the engine into an archive',
    },
    {
      command: 'luet-ts image copy oci-archive:base.tar local/base:1',
      description: 'from an archive into the engine',
    },
    {
      command: 'luet-ts image copy docker://debian:12 docker://localhost:5000/debian:12',
      description: 'between registries',
    },
  ];

  override check(): void {
    const { source, destination } = this.args;
    this.refuseUnused(unusedPlaces({ read: [source], write: [destination] }));
  }

  override run(): Promise<void> {
    return copy(this.args.source, this.args.destination, this.flags, this.context);
  }
}

async function copy(source: string, destination: string, flags: Flags, context: CliContext): Promise<void> {
  const { imageWork, transfer } = await import('../image-work.ts');
  await imageWork(flags, context, async (tools) => {
    const to = await tools.places.parse(destination);
    await transfer(tools, source, to, ['copying', 'copied'], flags.compression);
  });
}
