import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import type { PlaceWords } from '../image-work.ts';
import { addEngineFlag, noSuchImage } from '../places.ts';
import { noteMissingEngineStore } from '../store.ts';

/** Adds `image rm`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('rm')
    .description("Takes names away from the engine's images; with its last name an image goes")
    .argument('<name...>', 'the images');
  addEngineFlag(command).action((names: readonly string[], flags: PlaceWords) => rm(names, flags, context));
  addExamples(command, [['luet-ts image rm debian:12 local/base:1', 'two images']]);
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
