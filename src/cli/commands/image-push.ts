import type { Command } from 'commander';
import type { Compression } from '../../tar/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { addCompressionFlag, addEngineFlag, addRegistryFlags, noSuchImage } from '../places.ts';

interface Flags extends PlaceWords {
  readonly compression?: Compression;
}

/** Adds `image push`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('push')
    .description('Sends an image of the engine to a registry')
    .argument('<name>', 'the image in the engine')
    .argument('[destination]', 'the name that it gets in a registry (default: its own)');
  addCompressionFlag(addRegistryFlags(addEngineFlag(command))).action(
    (name: string, destination: string | undefined, flags: Flags) =>
      push(name, destination ?? name, flags, context),
  );
  addExamples(command, [
    ['luet-ts image push registry.example.org/a/b:1', 'under its own name'],
    ['luet-ts image push debian:12 localhost:5000/debian:12', 'under another'],
  ]);
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
