import { statfsSync } from 'node:fs';
import { CutError, LinkError } from '../delta/index.ts';
import type { Advice, Diagnostic, Place } from '../diagnostic/index.ts';
import { FileError, fileError, isFull, isSystemError, refusal } from '../disk/index.ts';
import { type Engine, EngineError, type EngineFault, NoShellError } from '../engine/index.ts';
import { ImageError } from '../image/index.ts';
import { type ResolvedPackage, RetrieveError } from '../resolve/index.ts';

/** A package could not be built: for reasons of its own, or because of what it is built in or written to. */
export class PackageFailure extends Error {
  override readonly name = 'PackageFailure';
  /** `category/name-version`. */
  readonly package: string;
  readonly diagnostics: readonly Diagnostic[];
  /** What failed it that is no fault of the package's; absent where the package itself failed. */
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

/** Nothing new is begun, because of a package that failed. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly because: string;

  constructor(because: string) {
    super(`stopped because ${because} failed`);
    this.because = because;
  }
}

/** The engine failed while a command ran, and the command did not end or not by its own doing. */
export class CommandCut extends Error {
  override readonly name = 'CommandCut';
  readonly engine: EngineError;
  /** `prelude` or `steps`, and the command's first line. */
  readonly during: string;
  readonly place: Place;
  /** The end of its output, and where all of it is. */
  readonly notes: readonly string[];

  constructor(engine: EngineError, during: string, place: Place, notes: readonly string[]) {
    super(`${engine.message} (${during})`, { cause: engine });
    this.engine = engine;
    this.during = during;
    this.place = place;
    this.notes = notes;
  }
}

/** What an engine's failure is, where an error is one. */
export function engineFault(error: unknown): EngineError | undefined {
  if (error instanceof CommandCut) return error.engine;
  return error instanceof EngineError ? error : undefined;
}

/** What a failure says of its package. */
export type FailingPackage = Pick<ResolvedPackage, 'key' | 'buildPlace'> & {
  readonly packageDirPlace?: Place | undefined;
  readonly retrieve?: readonly { readonly place: Place }[];
};

/** What can be asked about the surroundings in which a package failed. */
export interface Surroundings {
  readonly engine: Pick<Engine, 'report'>;
  /** Folders that a build writes to. */
  readonly destination: string;
  readonly temporary: string;
}

/**
 * What an error means that came up while a package was worked on: an engine or a file system that failed, or an image that
 * lacks what is to be packaged, fails that package and not the others. Anything else stays what it is.
 */
export async function failureOf(
  error: unknown,
  pack: FailingPackage,
  around: Surroundings,
): Promise<unknown> {
  const place = pack.buildPlace;
  if (error instanceof NoShellError) {
    const hint = 'Bring a shell with copy, or name an image that has one';
    const message = 'commands need a /bin/sh, and neither the image nor copy has one';
    const finding = { code: 'no-shell', message, place, hint };
    return new PackageFailure(pack, [finding], { cause: error });
  }
  const fault = engineFault(error);
  if (fault !== undefined) {
    const { code, message, note, ...remedy } = await described(fault, around);
    const cut = error instanceof CommandCut ? error : undefined;
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
  // A place of images on a disk that is full, which other packages would find full, too.
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

/** What an engine's failure is called, and what can be done about it. */
async function described(
  { kind, message, image, limit, hint, advice, cause }: EngineError,
  { engine }: Surroundings,
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
        message: `the engine is gone: ${message}`,
        hint: `start the engine again; ${GOES_ON}`,
      };
    case 'no-space': {
      const report = await engine.report().catch(() => undefined);
      // Asked for when what the package wrote has been removed.
      const free = report?.freeBytes === undefined ? undefined : bytes(report.freeBytes);
      const tool = report?.name.toLowerCase();
      const how =
        tool === 'docker' || tool === 'podman'
          ? `'${tool} system df' shows what takes the room, '${tool} system prune' gives back what nothing uses`
          : 'make room there';
      return {
        code: 'no-space',
        message: `the engine's disk is full: ${message}`,
        ...(free === undefined
          ? {}
          : { note: `without the package, ${free} are free in ${report?.dataRoot}` }),
        hint: `${how}; ${GOES_ON}`,
      };
    }
    case 'image-missing':
      return {
        code: 'image-lost',
        message: `the image ${image ?? ''} was removed again and again while it was needed: ${message}`,
        hint: `something else removes images from this engine; ${GOES_ON} and is still there`,
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
        message: `something else than the build ended it: ${message}`,
        hint: `find out what ends containers of this engine; ${GOES_ON}`,
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

/** An error of the file system. Where it does not say which file it is about and a disk is full, it is the fuller one that is written to. */
function fileRefusal(error: unknown, { destination, temporary }: Surroundings): FileError | undefined {
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
