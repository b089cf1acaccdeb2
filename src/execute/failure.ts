import type { Diagnostic, Place } from '../diagnostic/index.ts';
import { EngineError, type EngineFault } from '../engine/index.ts';
import type { ResolvedPackage } from '../resolve/index.ts';

/** Thrown if a package could not be built, because of itself or because of its environment. */
export class PackageFailure extends Error {
  override readonly name = 'PackageFailure';
  /** `category/name-version`. */
  readonly package: string;
  readonly diagnostics: readonly Diagnostic[];
  /** The kind of failure, if the package did not cause it. Undefined if the package itself failed. */
  readonly fault: Exclude<EngineFault, 'other'> | undefined;

  constructor(
    pack: Pick<ResolvedPackage, 'key'>,
    diagnostics: readonly Omit<Diagnostic, 'package' | 'severity'>[],
    options: { readonly cause?: unknown; readonly fault?: EngineFault | undefined } = {},
  ) {
    super(diagnostics.map(({ message }) => message).join('; '), { cause: options.cause });
    this.package = pack.key;
    this.diagnostics = diagnostics.map((d) => ({ ...d, severity: 'error', package: pack.key }));
    this.fault = options.fault === 'other' ? undefined : options.fault;
  }
}

/** Thrown for work that was not started because another package failed. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly because: string;

  constructor(because: string) {
    super(`stopped because ${because} failed`);
    this.because = because;
  }
}

/** The engine failed while a command ran, and interrupted it. */
export class CommandInterrupted extends Error {
  override readonly name = 'CommandCut';
  readonly engine: EngineError;
  /** `prelude` or `steps`, and the first line of the command. */
  readonly during: string;
  readonly place: Place;
  /** The end of its output, and the path of the complete log. */
  readonly notes: readonly string[];

  constructor(engine: EngineError, during: string, place: Place, notes: readonly string[]) {
    super(`${engine.message} (${during})`, { cause: engine });
    this.engine = engine;
    this.during = during;
    this.place = place;
    this.notes = notes;
  }
}

/** The engine's error, if an error is one. */
export function engineFault(error: unknown): EngineError | undefined {
  if (error instanceof CommandInterrupted) return error.engine;
  return error instanceof EngineError ? error : undefined;
}
