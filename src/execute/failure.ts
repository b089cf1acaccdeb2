import { statfsSync } from 'node:fs';
import { CutError, LinkError } from '../delta/index.ts';
import type { Advice, Diagnostic, Place } from '../diagnostic/index.ts';
import { FileError, fileError, isFull, isSystemError, refusal } from '../disk/index.ts';
import { type Engine, EngineError, type EngineFault, NoShellError } from '../engine/index.ts';
import { ImageError } from '../image/index.ts';
import { type ResolvedPackage, RetrieveError } from '../resolve/index.ts';

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

/** The properties of a package that its failure refers to. */
export type FailingPackage = Pick<ResolvedPackage, 'key' | 'buildPlace'> & {
  readonly packageDirPlace?: Place | undefined;
  readonly retrieve?: readonly { readonly place: Place }[];
};

/** Information about the environment in which a package failed. */
export interface FailureEnvironment {
  readonly engine: Pick<Engine, 'report'>;
  /** Folders to which a build writes. */
  readonly destination: string;
  readonly temporary: string;
}

/**
 * Converts an error that occurred during work for a package. Failures of the engine or file system, and
 * missing files in an image, become a failure of this package only. Other errors are returned unchanged.
 */
export async function failureOf(
  error: unknown,
  pack: FailingPackage,
  around: FailureEnvironment,
): Promise<unknown> {
  const place = pack.buildPlace;
  if (error instanceof NoShellError) {
    const hint = 'Add a shell with copy, or use an image that contains one';
    const message = 'commands need /bin/sh, but neither the image nor the copied files contain it';
    const finding = { code: 'no-shell', message, place, hint };
    return new PackageFailure(pack, [finding], { cause: error });
  }
  const fault = engineFault(error);
  if (fault !== undefined) {
    const { code, message, note, ...remedy } = await described(fault, around);
    const cut = error instanceof CommandInterrupted ? error : undefined;
    const notes = [...(cut?.notes ?? []), ...(note === undefined ? [] : [note])];
    const finding = {
      code,
      message: cut === undefined ? message : `${message}, in ${cut.during}`,
      place: cut?.place ?? place,
      notes: notes.map((one) => ({ message: one })),
      ...remedy,
    };
    return new PackageFailure(pack, [finding], { cause: error, fault: fault.kind });
  }
  // A full disk affects all packages, not only this one.
  if (error instanceof ImageError && error.cause instanceof FileError && error.cause.isFull)
    return failureOf(error.cause, pack, around);
  if (error instanceof ImageError)
    return new PackageFailure(pack, [{ code: 'image-failed', message: error.message, place }], {
      cause: error,
    });
  if (error instanceof CutError || error instanceof LinkError) {
    const at = pack.packageDirPlace ?? place;
    return new PackageFailure(pack, [{ code: 'nothing-to-package', message: error.message, place: at }], {
      cause: error,
    });
  }
  if (error instanceof RetrieveError) {
    const { message, hint } = error;
    const at = pack.retrieve?.[0]?.place ?? place;
    const finding = { code: 'unreadable-archive', message: `retrieve: ${message}`, place: at };
    const findings = [{ ...finding, ...(hint === undefined ? {} : { hint }) }];
    return new PackageFailure(pack, findings, { cause: error });
  }
  const refused = error instanceof FileError ? error : fileRefusal(error, around);
  if (refused !== undefined) {
    const { message, code, hint, advice } = refused;
    const isEnd = isFull(code);
    const more = isEnd ? [hint, GOES_ON].filter((one) => one !== undefined).join('; ') : hint;
    const finding = {
      ...{ code: isEnd ? 'no-space' : 'file-failed', message, place },
      ...(more === undefined ? {} : { hint: more }),
      ...(advice === undefined ? {} : { advice }),
    };
    return new PackageFailure(pack, [finding], { cause: error, ...(isEnd ? { fault: 'no-space' } : {}) });
  }
  return error;
}

const GOES_ON = 'the next build goes on from what is finished';

/** Describes an engine failure, and how to fix it. */
async function described(
  { kind, message, image, limit, hint, advice, cause }: EngineError,
  { engine }: FailureEnvironment,
): Promise<{
  readonly code: string;
  readonly message: string;
  readonly note?: string;
  readonly hint?: string;
  readonly advice?: Advice;
}> {
  switch (kind) {
    case 'gone':
      return {
        code: 'engine-gone',
        message: `the engine is not available: ${message}`,
        hint: `start the engine again; ${GOES_ON}`,
      };
    case 'no-space': {
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
    case 'image-missing':
      return {
        code: 'image-lost',
        message: `image ${image ?? ''} was removed repeatedly while it was needed: ${message}`,
        hint: `another program removes images from this engine; ${GOES_ON}, as far as it still exists`,
      };
    case 'out-of-memory':
      return {
        code: 'out-of-memory',
        message: `memory ran out: ${message}`,
        ...(limit === undefined
          ? {
              hint: `give the engine more memory, or build fewer packages at once; ${GOES_ON}`,
              advice: 'fewer-at-once',
            }
          : { hint: `give each package more memory; ${GOES_ON}`, advice: 'more-memory' }),
      };
    case 'killed':
      return {
        code: 'container-killed',
        message: `ended by another program: ${message}`,
        hint: `find out which program ends containers of this engine; ${GOES_ON}`,
      };
    case 'other':
      return {
        code: cause instanceof FileError ? 'file-failed' : 'engine-failed',
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(advice === undefined ? {} : { advice }),
      };
  }
}

/** A file system error. If it does not name a file and a disk is full, the fuller one is assumed. */
function fileRefusal(error: unknown, { destination, temporary }: FailureEnvironment): FileError | undefined {
  if (!isSystemError(error)) return undefined;
  if (error.path !== undefined || !isFull(error.code)) return refusal(error);
  const [fuller = destination] = [destination, temporary].sort((a, b) => freeIn(a) - freeIn(b));
  return fileError(error, fuller, 'written') as FileError;
}

function freeIn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
