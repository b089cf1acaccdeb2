import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { oneOrMore } from '../flags/arguments.ts';
import { imageEngineFlags } from '../flags/images.ts';
import type { PlaceWords } from '../image-work.ts';
import { noSuchImage } from '../places.ts';
import { noteMissingEngineStore } from '../store.ts';

/** `image rm`. */
export default class ImageRm extends LuetCommand<typeof ImageRm> {
  static override description =
    "Removes names from the engine's images; an image is removed with its last name";
  static override args = { name: oneOrMore('names of images') };
  static override flags = imageEngineFlags;
  static override examples = [
    { command: 'luet-ts image rm debian:12 local/base:1', description: 'two images' },
  ];

  override run(): Promise<void> {
    return rm(this.args.name, this.flags, this.context);
  }
}

async function rm(names: readonly string[], flags: PlaceWords, context: CliContext): Promise<void> {
  const { imageWork } = await import('../image-work.ts');
  await imageWork(flags, context, async ({ places }) => {
    await noteMissingEngineStore(flags, context);
    const engine = await places.engine();
    const missing: string[] = [];
    for (const name of names) {
      context.signal.throwIfAborted();
      if ((await engine.resolve(name, { pull: false })) === undefined) missing.push(name);
      else await engine.remove(name);
    }
    if (missing.length === 0) return;
    const { DiagnosticError } = await import('../../diagnostic/index.ts');
    const errors = await Promise.all(missing.map((name) => noSuchImage(name, 'held')));
    throw new DiagnosticError(
      errors.flatMap((one) => (one instanceof DiagnosticError ? one.diagnostics : [])),
    );
  });
}
