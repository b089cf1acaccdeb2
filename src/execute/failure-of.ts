import { statfsSync } from 'node:fs';
import { CutError, LinkError } from '../delta/index.ts';
import type { Diagnostic, Place } from '../diagnostic/index.ts';
import { FileError, fileError, isFull, isSystemError, refusal } from '../disk/index.ts';
import { type Engine, type EngineError, NoShellError } from '../engine/index.ts';
import { ImageError } from '../image/index.ts';
import { type ResolvedPackage, RetrieveError } from '../resolve/index.ts';
import { describeEngineFailure, GOES_ON } from './engine-failure.ts';
import { CommandInterrupted, engineFault, PackageFailure } from './failure.ts';

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
  const own = ownFinding(error, pack);
  if (own !== undefined) return new PackageFailure(pack, [own], { cause: error });
  const fault = engineFault(error);
  if (fault !== undefined) return await engineFailure(error, fault, pack, around);
  // A full disk affects all packages, not only this one.
  if (error instanceof ImageError && error.cause instanceof FileError && error.cause.isFull)
    return fileFailure(error.cause, error.cause, pack);
  if (error instanceof ImageError) {
    const finding = { code: 'image-failed', message: error.message, place: pack.buildPlace };
    return new PackageFailure(pack, [finding], { cause: error });
  }
  const refused = error instanceof FileError ? error : fileRefusal(error, around);
  return refused === undefined ? error : fileFailure(error, refused, pack);
}

/** What is wrong with the package itself: its image, or the files that it names. */
function ownFinding(
  error: unknown,
  { buildPlace: place, packageDirPlace, retrieve }: FailingPackage,
): Omit<Diagnostic, 'package' | 'severity'> | undefined {
  if (error instanceof NoShellError) {
    const hint = 'Add a shell with copy, or use an image that contains one';
    const message = 'commands need /bin/sh, but neither the image nor the copied files contain it';
    return { code: 'no-shell', message, place, hint };
  }
  if (error instanceof CutError || error instanceof LinkError)
    return { code: 'nothing-to-package', message: error.message, place: packageDirPlace ?? place };
  if (error instanceof RetrieveError) {
    const { message, hint } = error;
    return {
      code: 'unreadable-archive',
      message: `retrieve: ${message}`,
      place: retrieve?.[0]?.place ?? place,
      ...(hint === undefined ? {} : { hint }),
    };
  }
  return undefined;
}

async function engineFailure(
  error: unknown,
  fault: EngineError,
  pack: FailingPackage,
  { engine }: FailureEnvironment,
): Promise<PackageFailure> {
  const { code, message, note, ...remedy } = await describeEngineFailure(fault, engine);
  const cut = error instanceof CommandInterrupted ? error : undefined;
  const notes = [...(cut?.notes ?? []), ...(note === undefined ? [] : [note])];
  const finding = {
    code,
    message: cut === undefined ? message : `${message}, in ${cut.during}`,
    place: cut?.place ?? pack.buildPlace,
    notes: notes.map((one) => ({ message: one })),
    ...remedy,
  };
  return new PackageFailure(pack, [finding], { cause: error, fault: fault.kind });
}

function fileFailure(
  error: unknown,
  { message, code, hint, advice }: FileError,
  pack: FailingPackage,
): PackageFailure {
  const isEnd = isFull(code);
  const more = isEnd ? [hint, GOES_ON].filter((one) => one !== undefined).join('; ') : hint;
  const finding = {
    ...{ code: isEnd ? 'no-space' : 'file-failed', message, place: pack.buildPlace },
    ...(more === undefined ? {} : { hint: more }),
    ...(advice === undefined ? {} : { advice }),
  };
  return new PackageFailure(pack, [finding], { cause: error, ...(isEnd ? { fault: 'no-space' } : {}) });
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
