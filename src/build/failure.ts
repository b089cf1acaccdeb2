import type { Diagnostic } from '../diagnostic/index.ts';
import type { TreePackage } from '../tree/index.ts';

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
