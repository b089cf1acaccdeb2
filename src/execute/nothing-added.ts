import type { StepPaths } from '../cache/index.ts';
import { type CutFile, type CutSpec, keptBy } from '../delta/index.ts';
import type { PackageOutput, ResolvedPackage } from '../resolve/index.ts';
import { PackageFailure } from './failure.ts';
import { isContext, pathList } from './path-list.ts';

/**
 * Throws a `PackageFailure` where a package, or a subpackage of it, holds nothing only because what steps wrote was there before:
 * clients would install nothing, and nobody would know why.
 */
export function refuseEmpty(
  pack: ResolvedPackage,
  cuts: readonly { readonly output: PackageOutput; readonly files: readonly CutFile[] }[],
  changed: StepPaths['changed'],
): void {
  const findings = cuts.flatMap(({ output: { name, cut }, files }) => {
    const lost = files.length > 0 ? '' : lostBy(cut, changed);
    if (lost === '') return [];
    return [
      {
        code: 'nothing-added',
        message: `${name} would be empty: it holds what steps add, and they only changed what was there before: ${lost}`,
        place: pack.steps[0]?.place ?? pack.buildPlace,
        hint: 'Write into a folder of its own and name it as package_dir; what is only meant for packages that are built on this one belongs in prelude',
      },
    ];
  });
  if (findings.length > 0) throw new PackageFailure(pack, findings);
}

/** What of changed paths the package would hold if they were new, in words; empty where nothing is. */
function lostBy(cut: CutSpec, changed: StepPaths['changed']): string {
  if (typeof changed === 'number')
    // So many that it is not recorded which: some of them are the package's.
    return cut.kind === 'delta' && changed > 0 ? `${changed} paths` : '';
  const outside = changed.filter((path) => !isContext(path));
  return pathList(keptBy(cut, outside));
}
