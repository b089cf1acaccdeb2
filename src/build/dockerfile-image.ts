import { EngineError, type ImageInfo } from '../engine/index.ts';
import type { PlanNode } from '../plan/index.ts';
import { fingerprint } from '../spec/index.ts';
import { plainEntries } from './context.ts';
import type { Facts } from './facts.ts';
import { PackageFailure } from './failure.ts';
import { PackageLog } from './log.ts';
import { labels } from './record.ts';
import type { BuildOptions } from './types.ts';

/** Has the engine make the image of a node's Dockerfile. Throws a `PackageFailure` where the Dockerfile fails. */
export async function buildDockerfile(
  node: PlanNode,
  reference: string,
  facts: Facts,
  options: BuildOptions,
): Promise<ImageInfo> {
  const { package: pack } = node;
  const { engine, keepImages, network, memory, processes, onEvent, signal, logs } = options;
  const log = new PackageLog(logs, fingerprint(pack.definition));
  onEvent({ type: 'started', package: pack.key, work: 'run', parent: 'its Dockerfile', log: log.path });
  if (memory !== undefined || processes !== undefined)
    onEvent({ type: 'notice', package: pack.key, message: 'limits do not hold for its Dockerfile' });
  try {
    const { files } = await facts.context(node);
    return await engine.buildImage(reference, plainEntries(files), {
      labels: { [labels.package]: pack.key },
      temporary: !keepImages,
      network,
      signal,
      onOutput: (stream, chunk) => {
        log.output(chunk);
        onEvent({ type: 'output', package: pack.key, stream, chunk });
      },
    });
  } catch (error) {
    // What failed the engine is no fault of the Dockerfile's.
    if (!(error instanceof EngineError) || error.kind !== 'other') throw error;
    signal.throwIfAborted();
    const notes = [
      {
        message: `the end of its output:\n${log
          .tail()
          .map((line) => `    ${line}`)
          .join('\n')}`,
      },
    ];
    throw new PackageFailure(
      pack,
      [
        {
          code: 'dockerfile-failed',
          message: `its Dockerfile failed: ${error.message}`,
          place: pack.definition.place,
          notes,
          hint: log.hint,
        },
      ],
      { cause: error },
    );
  } finally {
    log.close();
  }
}
