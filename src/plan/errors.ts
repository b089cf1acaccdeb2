import { DiagnosticError } from '../diagnostic/index.ts';
import { errorsIn, type TreePackage, type View } from '../tree/index.ts';

/**
 * Throws a DiagnosticError if selected packages have errors: then their requirements are only partly known,
 * so no result that depends on them is reliable. `asker` is the package that needs them, for messages.
 */
export function refuseErrors(packages: readonly TreePackage[], view: View, asker: string): void {
  const found = packages.flatMap((pack) => {
    const needed = pack.key === asker ? [] : [{ message: `${asker} needs ${pack.key}` }];
    return errorsIn(pack, view).map((error) => ({ ...error, notes: [...(error.notes ?? []), ...needed] }));
  });
  if (found.length > 0) throw new DiagnosticError(found);
}
