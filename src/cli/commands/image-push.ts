import type { Compression } from '../../tar/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument, optionalArgument } from '../flags/arguments.ts';
import { imageEngineFlags, layerCompressionFlag, registryFlags } from '../flags/images.ts';
import type { PlaceWords } from '../image-work.ts';
import { noSuchImage } from '../places.ts';

interface Flags extends PlaceWords {
  readonly compression?: Compression;
}

/** `image push`. */
export default class ImagePush extends LuetCommand<typeof ImagePush> {
  static override description = 'Sends an image of the engine to a registry';
  static override args = {
    name: argument('name of the image in the engine'),
    destination: optionalArgument('its name in the registry (default: the same name)'),
  };
  static override flags = { ...imageEngineFlags, ...registryFlags, compression: layerCompressionFlag };
  static override examples = [
    { command: 'luet-ts image push registry.example.org/a/b:1', description: 'under its own name' },
    { command: 'luet-ts image push debian:12 localhost:5000/debian:12', description: 'under another name' },
  ];

  override run(): Promise<void> {
    const { name, destination = name } = this.args;
    return push(name, destination, this.flags, this.context);
  }
}

async function push(name: string, destination: string, flags: Flags, context: CliContext): Promise<void> {
  const { imageWork, transfer } = await import('../image-work.ts');
  await imageWork(flags, context, async (tools) => {
    const to = await tools.places.parse(
      destination.startsWith('docker://') ? destination : `docker://${destination}`,
    );
    const held = await (await tools.places.engine()).resolve(name, { pull: false, signal: context.signal });
    if (held === undefined) throw await noSuchImage(name, 'held');
    await transfer(tools, name, to, ['pushing', 'pushed'], flags.compression, true);
  });
}
