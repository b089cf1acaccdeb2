import { randomBytes } from 'node:crypto';
import { DiagnosticError } from '../diagnostic/index.ts';
import type { ChangeSource, FoundEngine } from '../engine/index.ts';
import { engineSettings } from './environment.ts';
import { openRegistry } from './registry.ts';
import type { Surroundings } from './surroundings.ts';
import type { Workplace } from './workplace.ts';

/** Which engine is opened, and for what. */
export interface OpenEngineOptions {
  /** An address, `auto`, `native`, `docker` or `podman`; the one that is found where absent. */
  readonly engine?: string | undefined;
  /** Absolute path of the folder of the native engine's images; in the user's data folder where absent. */
  readonly store?: string | undefined;
  /** Whether what is made on the way stays in the engine; it does where absent. */
  readonly keepImages?: boolean | undefined;
  /** Whether to find out at once what the engine can do. */
  readonly thorough?: boolean | undefined;
  readonly workplace: Workplace;
  readonly signal: AbortSignal;
  /**
   * Goes on as the same process under other words, which end with a program that runs another; never returns. Absent where the
   * process cannot be replaced: then the native engine takes root.
   */
  readonly enter?: ((words: readonly string[]) => never) | undefined;
}

const CHANGE_SOURCES: readonly ChangeSource[] = ['upper', 'changes', 'export'];

/** Reads the value of `LUET_TS_CHANGES`. Throws a DiagnosticError. */
function changeSource(value: string | undefined): ChangeSource | undefined {
  if (value === undefined || value === '') return undefined;
  const found = CHANGE_SOURCES.find((one) => one === value);
  if (found !== undefined) return found;
  const message = `LUET_TS_CHANGES is ${JSON.stringify(value)}, and not one of ${CHANGE_SOURCES.join(', ')}`;
  throw new DiagnosticError([{ code: 'invalid-variable', severity: 'error', message }]);
}

/** Finds an engine and opens it. Rejects with a `NoEngineError` that says what was tried. */
export async function openEngine(
  { engine, store, keepImages = true, thorough, workplace, signal, enter }: OpenEngineOptions,
  around: Surroundings,
): Promise<FoundEngine> {
  const { findEngine } = await import('../engine/index.ts');
  const source = changeSource(around.env.LUET_TS_CHANGES);
  return await findEngine({
    settings: engineSettings(around.env, around.home),
    engine,
    runId: workplace.name,
    isOver: workplace.isOver,
    token: () => randomBytes(16).toString('hex'),
    temporary: workplace.temporary,
    now: around.now,
    keepImages,
    store,
    thorough,
    pull: async (reference, given) => {
      const registry = await openRegistry(around);
      return await registry.image(reference, given === undefined ? {} : { signal: given });
    },
    enter,
    signal,
    ...(source === undefined ? {} : { source }),
  });
}

/** The folders that luet-ts writes to for itself: nothing in them is part of a package's context. `store` is an absolute path. */
export async function ownFolders(
  { engine, store }: Pick<OpenEngineOptions, 'engine' | 'store'>,
  workplace: Workplace,
  { env, home }: Surroundings,
): Promise<readonly string[]> {
  const { parseNative } = await import('../engine/index.ts');
  const options = { settings: engineSettings(env, home), store };
  const address = parseNative(engine, options) ?? parseNative('native', options);
  return [...workplace.shared, ...(address === undefined ? [] : [address.folder])];
}
