import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { addEngineFlag, addRegistryFlags } from '../places.ts';

/** Adds `image pull`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('pull')
    .description('Fetches images from their registries into the engine')
    .argument('<name...>', 'such as debian:12 or registry.example.org/a/b@sha256:…');
  addRegistryFlags(addEngineFlag(command)).action((names: readonly string[], flags: PlaceWords) =>
    pull(names, flags, context),
  );
  addExamples(command, [
    ['luet-ts image pull debian:12', 'for this machine'],
    ['luet-ts image pull --platform linux/arm64 debian:12', 'for another'],
  ]);
}

async function pull(names: readonly string[], flags: PlaceWords, context: CliContext): Promise<void> {
  const { imageWork, transfer } = await import('../image-work.ts');
  await imageWork(flags, context, async (tools) => {
    for (const name of names) {
      const word = name.startsWith('docker://') ? name : `docker://${name}`;
      await tools.places.parse(word);
      const to = { kind: 'engine', name: word.slice('docker://'.length) } as const;
      await transfer(tools, word, to, ['pulling', 'pulled']);
    }
  });
}
