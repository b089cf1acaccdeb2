import type { StepPaths } from '../cache/index.ts';
import { type CutFile, type CutSpec, keptBy } from '../delta/index.ts';
import type { PackageOutput, ResolvedPackage } from '../resolve/index.ts';
import { PackageFailure } from './failure.ts';
import { isContext, pathList } from './path-list.ts';

/**
 * Throws a `PackageFailure` if a package or subpackage is empty only because its steps wrote files that
 * already existed. Otherwise clients would install an empty package without any explanation.
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
        message: `${name} would be empty: a package contains the files that steps add, but these steps only changed existing files: ${lost}`,
        place: pack.steps[0]?.place ?? pack.buildPlace,
        hint: 'Write the files to a separate folder and set package_dir to it; move commands that only prepare the image for other packages to prelude',
      },
    ];
  });
  if (findings.length > 0) throw new PackageFailure(pack, findings);
}

/** The changed paths that the package would contain if they were new, in words; empty if there are none. */
function lostBy(cut: CutSpec, changed: StepPaths['changed']): string {
  if (typeof changed === 'number')
    // There are too many to record each path; some of them belong to the package.
    return cut.kind === 'delta' && changed > 0 ? `${changed} paths` : '';
  const outside = changed.filter((path) => !isContext(path));
  return pathList(keptBy(cut, outside));
}
