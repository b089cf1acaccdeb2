import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument } from '../flags/arguments.ts';
import { imageEngineFlags } from '../flags/images.ts';
import type { PlaceWords } from '../image-work.ts';
import { noSuchImage } from '../places.ts';

/** `image export`. */
export default class ImageExport extends LuetCommand<typeof ImageExport> {
  static override description = "Writes the root file system of one of the engine's images as a tar archive";
  static override args = {
    name: argument('name of the image'),
    file: argument('file to write; - for standard output'),
  };
  static override flags = imageEngineFlags;
  static override examples = [
    { command: 'luet-ts image export local/base:1 base.tar', description: 'into a file' },
    { command: 'luet-ts image export local/base:1 - | tar -t', description: 'into a pipe' },
  ];

  override run(): Promise<void> {
    return exportImage(this.args.name, this.args.file, this.flags, this.context);
  }
}

async function exportImage(
  name: string,
  file: string,
  flags: PlaceWords,
  context: CliContext,
): Promise<void> {
  const { imageWork } = await import('../image-work.ts');
  await imageWork(flags, context, async ({ places, transfers, workplace }) => {
    const [{ resolve }, { wholeTree }, { writeTar }, { writeFileOrStream }] = await Promise.all([
      import('node:path'),
      import('../../delta/index.ts'),
      import('../../tar/index.ts'),
      import('../../disk/index.ts'),
    ]);
    const { signal, stdout, cwd } = context;
    const engine = await places.engine();
    if ((await engine.resolve(name, { pull: false, signal })) === undefined)
      throw await noSuchImage(name, 'held');
    const reader = await engine.openForReading(name, signal);
    const one = transfers.begin(name, 'exporting');
    try {
      const archive = counted(writeTar(wholeTree(reader)), one.onBytes, signal);
      if (file === '-') for await (const chunk of archive) await written(stdout, chunk);
      else await writeFileOrStream(resolve(cwd, file), archive, { run: workplace, signal });
      one.done('exported');
    } finally {
      one.fail();
      await reader.close();
    }
  });
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (count: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    onBytes(chunk.length);
    yield chunk;
  }
}

/** Writes a chunk, and waits where the reader is slower. */
async function written(output: CliContext['stdout'], chunk: Uint8Array): Promise<void> {
  if (output.write(Buffer.from(chunk))) return;
  const stream = output as Partial<NodeJS.EventEmitter>;
  if (stream.once === undefined) return;
  await new Promise<void>((resolve) => void stream.once?.('drain', () => resolve()));
}
