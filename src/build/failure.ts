import type { Diagnostic } from '../diagnostic/index.ts';
import { EngineError } from '../engine/index.ts';
import { ImageError } from '../image/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { CutError } from './cut.ts';
import { LinkError } from './paths.ts';

/** A package could not be built, for reasons of its own. */
export class PackageFailure extends Error {
  override readonly name = 'PackageFailure';
  /** `category/name-version`. */
  readonly package: string;
  readonly diagnostics: readonly Diagnostic[];

  constructor(
    pack: TreePackage,
    diagnostics: readonly Omit<Diagnostic, 'package' | 'severity'>[],
    cause?: unknown,
  ) {
    super(diagnostics.map(({ message }) => message).join('; '), { cause });
    this.package = pack.key;
    this.diagnostics = diagnostics.map((d) => ({ ...d, severity: 'error', package: pack.key }));
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

/**
 * What an error means that came up while a package was worked on: an engine or a file system that failed, or an image that
 * lacks what is to be packaged, fails that package and not the others. Anything else stays what it is.
 */
export function failureOf(error: unknown, pack: TreePackage): unknown {
  const place = pack.build?.place ?? pack.definition.place;
  if (error instanceof EngineError)
    return new PackageFailure(pack, [{ code: 'engine-failed', message: error.message, place }], error);
  if (error instanceof ImageError)
    return new PackageFailure(pack, [{ code: 'image-failed', message: error.message, place }], error);
  if (error instanceof CutError || error instanceof LinkError) {
    const at = pack.build?.packageDir?.place ?? place;
    return new PackageFailure(
      pack,
      [{ code: 'nothing-to-package', message: error.message, place: at }],
      error,
    );
  }
  if (isSystemError(error)) {
    const message = `a file could not be read or written: ${error.message}`;
    return new PackageFailure(pack, [{ code: 'file-failed', message, place }], error);
  }
  return error;
}

/** An error of a system call: a full disk, a folder that may not be written, a file in a folder's place. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && typeof syscall === 'string';
}
