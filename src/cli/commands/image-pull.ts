import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { oneOrMore } from '../flags/arguments.ts';
import { imageEngineFlags, registryFlags } from '../flags/images.ts';
import type { PlaceWords } from '../image-work.ts';

/** `image pull`. */
export default class ImagePull extends LuetCommand<typeof ImagePull> {
  static override description = 'Fetches images from their registries into the engine';
  static override args = { name: oneOrMore('such as debian:12 or registry.example.org/a/b@sha256:…') };
  static override flags = { ...imageEngineFlags, ...registryFlags };
  static override examples = [
    { command: 'luet-ts image pull debian:12', description: 'for this machine' },
    { command: 'luet-ts image pull --platform linux/arm64 debian:12', description: 'for another platform' },
  ];

  override run(): Promise<void> {
    return pull(this.args.name, this.flags, this.context);
  }
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
