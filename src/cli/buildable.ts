import { DiagnosticError } from '../diagnostic/index.ts';
import type { TreePackage } from '../tree/index.ts';

/** Throws a DiagnosticError that names the packages that cannot be built for want of a `build.yaml`. */
export async function buildable(packages: readonly TreePackage[]): Promise<void> {
  const { isBuildable } = await import('../tree/index.ts');
  const others = packages.filter((pack) => !isBuildable(pack));
  if (others.length === 0) return;
  throw new DiagnosticError(
    others.map(({ key, definition: { place } }) => ({
      code: 'not-buildable',
      severity: 'error',
      message: `${key} has no build.yaml`,
      place,
      package: key,
    })),
  );
}
