import { basename } from 'node:path';
import { labels } from '../cache/index.ts';
import { EngineError, type ImageInfo, type Reader } from '../engine/index.ts';
import type { ResolvedNode, ResolvedPackage } from '../resolve/index.ts';
import type { FileEntry } from '../tar/index.ts';
import { PackageFailure } from './failure.ts';
import { PackageLog } from './log.ts';
import type { ExecuteOptions } from './types.ts';
import { plainEntries } from './upload.ts';

/** Makes the engine build the image of a node's Dockerfile. Rejects with a `PackageFailure` if that fails. */
export async function buildDockerfile(
  pack: ResolvedPackage,
  { context, parent }: Pick<ResolvedNode, 'context' | 'parent'>,
  reference: string,
  options: ExecuteOptions,
): Promise<ImageInfo> {
  const { engine, keepImages, network, memory, processes, onEvent, signal, logs } = options;
  if (engine.buildImage === undefined) {
    const { name } = await engine.report();
    const finding = {
      code: 'dockerfile-failed',
      message: `building its Dockerfile failed: the ${name} engine does not support Dockerfiles`,
      place: pack.place,
      hint: 'use Docker or podman for this tree, or give the package an image and steps',
      advice: 'engine-with-dockerfiles',
    } as const;
    throw new PackageFailure(pack, [finding]);
  }
  const log = new PackageLog(logs, pack.fingerprint);
  onEvent({ type: 'started', package: pack.key, work: 'run', parent: 'its Dockerfile', log: log.path });
  if (memory !== undefined || processes !== undefined)
    onEvent({
      type: 'notice',
      package: pack.key,
      message: 'memory and process limits do not apply to its Dockerfile',
    });
  try {
    return await engine.buildImage(reference, plainEntries(pack.folder, context?.files ?? []), {
      dockerfile: parent.kind === 'dockerfile' ? basename(parent.path) : 'Dockerfile',
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
    // An engine failure is not an error in the Dockerfile.
    if (!(error instanceof EngineError) || error.kind !== 'other') throw error;
    signal.throwIfAborted();
    throw failedDockerfile(pack, error, log);
  } finally {
    log.close();
  }
}

function failedDockerfile(pack: ResolvedPackage, error: EngineError, log: PackageLog): PackageFailure {
  const tail = log.tail().map((line) => `    ${line}`);
  const finding = {
    code: 'dockerfile-failed',
    message: `building its Dockerfile failed: ${error.message}`,
    place: pack.place,
    notes: [{ message: `end of its output:\n${tail.join('\n')}` }],
    hint: log.hint,
  };
  return new PackageFailure(pack, [finding], { cause: error });
}

/** The files in the image of a Dockerfile that the base image of its last stage does not contain. */
export async function addedByDockerfile(
  made: Pick<Reader, 'list'>,
  base: Pick<Reader, 'list'> | undefined,
): Promise<readonly FileEntry[]> {
  const before = new Set((await base?.list(''))?.map(({ path }) => path));
  return (await made.list('')).filter(({ path }) => path !== '' && !before.has(path));
}
