import { type Diagnostic, sortDiagnostics } from '../diagnostic/index.ts';
import type { Tree, TreePackage } from './types.ts';

/** One of the two ways to see a tree: by its definitions, or by its build specs. */
export type View = 'runtime' | 'buildtime';

/** The errors for which a package has no part in a view; at run time a build spec does not matter. */
export function errorsIn(pack: TreePackage, view: View): readonly Diagnostic[] {
  // A subpackage's definition stands in a build spec.
  if (view === 'buildtime' || pack.cutFrom !== undefined) return pack.errors;
  return pack.errors.filter((error) => !isBuildtime(error));
}

/** What of a tree is looked at. */
export interface ValidateOptions {
  /** Both where absent. */
  readonly views?: readonly View[];
  /** Whether a package is looked at, by `category/name-version`; all where absent. */
  readonly selects?: (key: string) => boolean;
}

/**
 * What is wrong with the files of a tree, sorted: everything found while it was read, and in its finalizers.
 * What is wrong between packages is found by the plan room, which knows how to solve.
 */
export async function validateTree(
  tree: Tree,
  options: ValidateOptions = {},
): Promise<readonly Diagnostic[]> {
  const { views = ['runtime', 'buildtime'], selects } = options;
  const found = [...tree.diagnostics];
  if (views.includes('runtime')) found.push(...(await finalizerProblems(tree, selects)));
  // Without what stands in build specs, subpackages are missing at run time.
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

/** Whether a finding is about building alone. */
function isBuildtime({ place }: Diagnostic): boolean {
  return (
    place !== undefined && /(?:^|\/)(?:build\.yaml|templates\/[^/]*|[^/]*Dockerfile[^/]*)$/.test(place.file)
  );
}

/**
 * Keeps findings about selected packages. One that names no package belongs to those that its file makes; one that belongs
 * to no package that could be read is kept, for it may be about any.
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
