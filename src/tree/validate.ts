import { type Diagnostic, sortDiagnostics } from '../diagnostic/index.ts';
import type { Tree, TreePackage } from './types.ts';

/** The two views of a tree: requirements in definitions (run time), or in build specs (build time). */
export type View = 'runtime' | 'buildtime';

/** The errors that exclude a package from a view. At run time, errors of its build spec do not matter. */
export function errorsIn(pack: TreePackage, view: View): readonly Diagnostic[] {
  // A subpackage is defined in a build spec, so these errors matter at run time too.
  if (view === 'buildtime' || pack.cutFrom !== undefined) return pack.errors;
  return pack.errors.filter((error) => !isBuildtime(error));
}

/** Options of `validateTree`. */
export interface ValidateOptions {
  /** Default: both. */
  readonly views?: readonly View[];
  /** Whether to check a package, by `category/name-version`. Default: all. */
  readonly selects?: (key: string) => boolean;
}

/**
 * The problems of a tree's files, sorted: those found while reading, and those of finalizers. Problems
 * between packages are found by the plan room, which can solve requirements.
 */
export async function validateTree(
  tree: Tree,
  options: ValidateOptions = {},
): Promise<readonly Diagnostic[]> {
  const { views = ['runtime', 'buildtime'], selects } = options;
  const found = [...tree.diagnostics];
  if (views.includes('runtime')) found.push(...(await finalizerProblems(tree, selects)));
  // Unreadable build specs may define subpackages, which would then be missing at run time.
  const hiding = new Set(tree.hiding);
  const wanted = found.filter(
    (problem) => views.includes('buildtime') || !isBuildtime(problem) || hiding.has(problem),
  );
  return sortDiagnostics(selects === undefined ? wanted : wanted.filter(selection(tree, selects)));
}

async function finalizerProblems(tree: Tree, selects?: (key: string) => boolean): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const pack of tree.packages) {
    if (pack.finalizeFile === undefined || selects?.(pack.key) === false) continue;
    const { problems = [] } = (await tree.finalizer(pack)) ?? {};
    found.push(...problems.map((problem) => ({ ...problem, package: problem.package ?? pack.key })));
  }
  return found;
}

/** Whether a problem concerns building only. */
function isBuildtime({ place }: Diagnostic): boolean {
  return (
    place !== undefined && /(?:^|\/)(?:build\.yaml|templates\/[^/]*|[^/]*Dockerfile[^/]*)$/.test(place.file)
  );
}

/**
 * Selects the problems of selected packages. A problem of a whole file belongs to the packages of that file.
 * A problem of a file without readable packages is always kept, because it may concern any package.
 */
function selection(tree: Tree, selects: (key: string) => boolean): (problem: Diagnostic) => boolean {
  const byFile = new Map<string, TreePackage[]>();
  for (const pack of tree.packages) {
    for (const file of [pack.definition.place.file, pack.buildFile]) {
      if (file === undefined) continue;
      const same = byFile.get(file);
      if (same === undefined) byFile.set(file, [pack]);
      else same.push(pack);
    }
  }
  const unassigned = new Set(tree.unassigned);
  return (problem) => {
    if (unassigned.has(problem)) return true;
    if (problem.package !== undefined) return selects(problem.package);
    const packages = problem.place === undefined ? undefined : byFile.get(problem.place.file);
    return packages === undefined || packages.some(({ key }) => selects(key));
  };
}
