import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Diagnostic, sortDiagnostics } from '../diagnostic/index.ts';
import { packageName } from '../spec/index.ts';
import type { Value } from '../template/index.ts';
import { versionKey } from '../version/index.ts';
import { fileProblem } from './files.ts';
import { type Findings, type FolderContext, readFinalizer, readFolder } from './folder.ts';
import { createRenderer } from './render.ts';
import type { LoadOptions, Tree, TreePackage } from './types.ts';
import { readValues } from './values.ts';
import { isBuildable } from './views.ts';
import { type PackageFolder, type Walked, walkTree } from './walk.ts';

/** Folders that are read before others get a turn, signals among them. */
const TURN = 128;

/** Where a package with a finalizer was found, for reading that later. */
interface Found {
  readonly folder: PackageFolder;
  readonly context: FolderContext;
}

/**
 * Reads every package of some trees. A package of a later tree replaces the one of the same name, category and
 * version of an earlier one. Nothing that is wrong in them makes this fail: it is in `diagnostics`. Throws the
 * signal's reason when aborted.
 */
export async function loadTrees(roots: readonly string[], options: LoadOptions): Promise<Tree> {
  const problems: Diagnostic[] = [];
  const values = await readValues(options, problems);
  const packages = new Map<string, TreePackage>();
  const origins = new Map<TreePackage, Found>();
  const found: { readonly keys: ReadonlySet<string>; readonly problems: readonly Diagnostic[] }[] = [];
  const unassigned = problems.filter(isError);
  for (const root of distinct(roots, options.cwd)) {
    options.signal?.throwIfAborted();
    const walked = walkTree(root, options.cwd, options.dockerfiles === true);
    const own = [...walked.problems];
    const findings = { problems: own, unassigned };
    unassigned.push(...own.filter(isError));
    const here = await readTree(walked, values, options, findings, origins);
    if (here.size === 0 && walked.problems.length === 0) {
      const message = `the tree ${JSON.stringify(root)} holds no package`;
      own.push({ ...fileProblem('empty-tree', root, message), severity: 'warning' });
    }
    for (const [key, pack] of here) packages.set(key, pack);
    found.push({ keys: new Set(here.keys()), problems: own });
  }
  // What was wrong with a package that a later tree replaces does not matter any more.
  for (const [i, tree] of found.entries()) {
    const later = found.slice(i + 1);
    const replaced = (key: string | undefined): boolean =>
      key !== undefined && later.some(({ keys }) => keys.has(key));
    problems.push(...tree.problems.filter((problem) => !replaced(problem.package)));
  }
  const diagnostics = { diagnostics: sortDiagnostics(problems), unassigned: sortDiagnostics(unassigned) };
  return createTree(packages, diagnostics, async (pack) => {
    const origin = origins.get(pack);
    return origin && readFinalizer(origin.folder, pack.definition, origin.context);
  });
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

/** The roots without those that are a folder given before; the last mention counts. */
function distinct(roots: readonly string[], cwd: string): string[] {
  const real = (root: string): string => {
    try {
      return realpathSync.native(resolve(cwd, root));
    } catch {
      return resolve(cwd, root);
    }
  };
  const paths = roots.map(real);
  return roots.filter((_, i) => !paths.includes(paths[i] ?? '', i + 1));
}

async function readTree(
  walked: Walked,
  values: ReadonlyMap<string, Value>,
  options: LoadOptions,
  findings: Findings,
  origins: Map<TreePackage, Found>,
): Promise<Map<string, TreePackage>> {
  const { now = new Date(0) } = options;
  const env = new Map(Object.entries(options.env ?? {}).filter((pair) => pair[1] !== undefined));
  const renderer = createRenderer(walked.templates, walked.real, { now, env: env as Map<string, string> });
  const context: FolderContext = { root: walked.root, real: walked.real, renderer, values };
  const packages = new Map<string, TreePackage>();
  for (const [i, folder] of walked.folders.entries()) {
    if (i % TURN === TURN - 1) await setImmediate();
    options.signal?.throwIfAborted();
    for (const pack of await readFolder(folder, context, findings)) {
      const before = packages.get(pack.key);
      if (before !== undefined) {
        const error = duplicate(pack, before);
        findings.problems.push(error);
        // Which of the two is meant cannot be known, so that neither is built.
        const one = isBuildable(before) ? before : pack;
        const broken = { ...one, errors: [...before.errors, ...pack.errors, error] };
        packages.set(pack.key, broken);
        const origin = one === before ? origins.get(before) : { folder, context };
        if (origin !== undefined) origins.set(broken, origin);
        continue;
      }
      packages.set(pack.key, pack);
      if (pack.finalizeFile !== undefined) origins.set(pack, { folder, context });
    }
  }
  const shared = await renderer.problems();
  findings.problems.push(...shared);
  findings.unassigned.push(...shared.filter(isError));
  return packages;
}

function duplicate(pack: TreePackage, before: TreePackage): Diagnostic {
  return {
    code: 'duplicate-package',
    severity: 'error',
    message: `the package ${pack.key} is defined twice in this tree`,
    place: pack.definition.place,
    package: pack.key,
    notes: [{ message: 'it is defined here first', place: before.definition.place }],
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Indexes packages for looking them up. */
function createTree(
  packages: ReadonlyMap<string, TreePackage>,
  found: Pick<Tree, 'diagnostics' | 'unassigned'>,
  finalizer: Tree['finalizer'],
): Tree {
  const named = new Map<string, TreePackage[]>();
  for (const pack of packages.values()) {
    const name = packageName(pack.definition);
    const same = named.get(name);
    if (same === undefined) named.set(name, [pack]);
    else same.push(pack);
  }
  const families = [...named].sort(([, [a]], [, [b]]) => {
    if (a === undefined || b === undefined) return 0;
    const [x, y] = [a.definition, b.definition];
    return compareText(x.category, y.category) || compareText(x.name, y.name);
  });
  const sorted: TreePackage[] = [];
  for (const [, family] of families) {
    if (family.length > 1) sortNewestFirst(family);
    for (let i = family.length - 1; i >= 0; i--) sorted.push(family[i] as TreePackage);
  }
  const byName = new Map(families.reverse());
  return {
    packages: sorted,
    ...found,
    byName: (name) => byName.get(name) ?? [],
    byKey: (key) => packages.get(key),
    names: () => byName.keys(),
    finalizer,
  };
}

function sortNewestFirst(family: TreePackage[]): void {
  const keys = new Map(family.map((pack) => [pack, versionKey(pack.definition.version)]));
  family.sort((a, b) => compareText(keys.get(b) ?? '', keys.get(a) ?? '') || compareText(b.key, a.key));
}
