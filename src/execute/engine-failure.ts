import type { Diagnostic } from '../diagnostic/index.ts';
import { FileError } from '../disk/index.ts';
import type { Engine, EngineError, EngineFault } from '../engine/index.ts';
import { bytes } from './units.ts';

/** Follows what can be done about a failure that is no package's. */
export const GOES_ON = 'the next build goes on from what is finished';

/** An engine's failure as a finding, without its place. */
export type EngineFinding = Pick<Diagnostic, 'code' | 'message' | 'hint' | 'advice'> & {
  readonly note?: string;
};

type Describe = (
  error: EngineError,
  engine: Pick<Engine, 'report'>,
) => EngineFinding | Promise<EngineFinding>;

const descriptions: Readonly<Record<EngineFault, Describe>> = {
  gone: ({ message }) => ({
    code: 'engine-gone',
    message: `the engine is not available: ${message}`,
    hint: `start the engine again; ${GOES_ON}`,
  }),
  'no-space': noSpace,
  'image-missing': ({ message, image = '' }) => ({
    code: 'image-lost',
    message: `image ${image} was removed repeatedly while it was needed: ${message}`,
    hint: `another program removes images from this engine; ${GOES_ON}, as far as it still exists`,
  }),
  'out-of-memory': ({ message, limit }) => ({
    code: 'out-of-memory',
    message: `memory ran out: ${message}`,
    ...(limit === undefined
      ? {
          hint: `give the engine more memory, or build fewer packages at once; ${GOES_ON}`,
          advice: 'fewer-at-once',
        }
      : { hint: `give each package more memory; ${GOES_ON}`, advice: 'more-memory' }),
  }),
  killed: ({ message }) => ({
    code: 'container-killed',
    message: `ended by another program: ${message}`,
    hint: `find out which program ends containers of this engine; ${GOES_ON}`,
  }),
  other: ({ message, hint, advice, cause }) => ({
    code: cause instanceof FileError ? 'file-failed' : 'engine-failed',
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(advice === undefined ? {} : { advice }),
  }),
};

/** Describes an engine failure, and how to fix it. */
export async function describeEngineFailure(
  error: EngineError,
  engine: Pick<Engine, 'report'>,
): Promise<EngineFinding> {
  return await descriptions[error.kind](error, engine);
}

async function noSpace({ message }: EngineError, engine: Pick<Engine, 'report'>): Promise<EngineFinding> {
  const report = await engine.report().catch(() => undefined);
  // Requested after the package's files were removed.
  const free = report?.freeBytes === undefined ? undefined : bytes(report.freeBytes);
  const tool = report?.name.toLowerCase();
  const how =
    tool === 'docker' || tool === 'podman'
      ? `'${tool} system df' shows what uses the space, '${tool} system prune' removes unused data`
      : 'free some space there';
  return {
    code: 'no-space',
    message: `the engine's disk is full: ${message}`,
    ...(free === undefined
      ? {}
      : { note: `free space without this package: ${free} in ${report?.dataRoot}` }),
    hint: `${how}; ${GOES_ON}`,
  };
}
