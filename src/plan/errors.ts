import { DiagnosticError } from '../diagnostic/index.ts';
import { errorsIn, type TreePackage, type View } from '../tree/index.ts';

/**
 * Throws a DiagnosticError where packages that were chosen have errors: what they require is then only known in part, and no
 * answer that rests on them is one. `asker` is who needs them, as it is shown.
 */
export function refuseErrors(packages: readonly TreePackage[], view: View, asker: string): void {
  const found = packages.flatMap((pack) => {
    const needed = pack.key === asker ? [] : [{ message: `${asker} needs ${pack.key}` }];
    return errorsIn(pack, view).map((error) => ({ ...error, notes: [...(error.notes ?? []), ...needed] }));
  });
  if (found.length > 0) throw new DiagnosticError(found);
}
