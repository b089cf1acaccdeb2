import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Diagnostic, sortDiagnostics } from '../diagnostic/index.ts';
import type { Value } from '../template/index.ts';
import { fileProblem } from './files.ts';
import {
  type FolderContext,
  readBuildAgain,
  readFinalizer,
  readFolder,
  type TreeProblems,
} from './folder.ts';
import { indexPackages } from './lookup.ts';
import { createRenderer } from './render.ts';
import { ownedSubpackages, subpackagePackage } from './subpackages.ts';
import type { LoadOptions, PackageIndex, Tree, TreePackage } from './types.ts';
import { readValues } from './values.ts';
import { isBuildable } from './views.ts';
import { type PackageFolder, type Walked, walkTree } from './walk.ts';

/** Number of folders to read before other events, such as signals, are handled. */
const TURN = 128;

/** What is needed to read a package's files again. */
interface PackageFiles {
  readonly folder: PackageFolder;
  readonly context: FolderContext;
}

/**
 * Reads all packages of some trees. A package of a later tree replaces the package with the same name,
 * category and version of an earlier one. Problems in trees do not throw; they are in `diagnostics`. Throws
 * the signal's reason if it aborts.
 */
export async function loadTrees(roots: readonly string[], options: LoadOptions): Promise<Tree> {
  const problems: Diagnostic[] = [];
  const values = await readValues(options, problems);
  const packages = new Map<string, TreePackage>();
  const filesOf = new Map<TreePackage, PackageFiles>();
  const found: { readonly keys: ReadonlySet<string>; readonly problems: readonly Diagnostic[] }[] = [];
  const unassigned = problems.filter(isError);
  const hiding: Diagnostic[] = [];
  for (const root of distinct(roots, options.cwd)) {
    options.signal?.throwIfAborted();
    const walked = walkTree(root, options.cwd, options.dockerfiles === true);
    const own = [...walked.problems];
    const findings = { problems: own, unassigned, hiding };
    unassigned.push(...own.filter(isError));
    const here = await readTree(walked, values, options, findings, filesOf);
    if (here.size === 0 && walked.problems.length === 0) {
      const message = `tree ${JSON.stringify(root)} contains no packages`;
      own.push({ ...fileProblem('empty-tree', root, message), severity: 'warning' });
    }
    for (const [key, pack] of here) packages.set(key, pack);
    found.push({ keys: new Set(here.keys()), problems: own });
  }
  // Problems of packages that a later tree replaces are dropped.
  for (const [i, tree] of found.entries()) {
    const later = found.slice(i + 1);
    const replaced = (key: string | undefined): boolean =>
      key !== undefined && later.some(({ keys }) => keys.has(key));
    problems.push(...tree.problems.filter((problem) => !replaced(problem.package)));
  }
  const known = new Set(problems);
  return createTree(packages, {
    diagnostics: sortDiagnostics(problems),
    unassigned: sortDiagnostics(unassigned),
    hiding: sortDiagnostics(hiding.filter((one) => known.has(one))),
    async finalizer(pack) {
      const origin = pack.finalizeFile === undefined ? undefined : filesOf.get(pack);
      return origin && readFinalizer(origin.folder, pack.definition, origin.context);
    },
    async withVersion(pack, version) {
      const origin = filesOf.get(pack);
      return origin && readBuildAgain(origin.folder, pack.definition, version, origin.context);
    },
  });
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

/** Removes roots that refer to the same folder; the last one is kept. */
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
  findings: TreeProblems,
  filesOf: Map<TreePackage, PackageFiles>,
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
        // Nobody can know which one was intended, so neither is built.
        const one = isBuildable(before) ? before : pack;
        const broken = { ...one, errors: [...before.errors, ...pack.errors, error] };
        packages.set(pack.key, broken);
        const origin = one === before ? filesOf.get(before) : { folder, context };
        if (origin !== undefined) filesOf.set(broken, origin);
        continue;
      }
      packages.set(pack.key, pack);
      const isReadAgain = pack.finalizeFile !== undefined || (pack.build?.subpackages.length ?? 0) > 0;
      if (isReadAgain) filesOf.set(pack, { folder, context });
    }
  }
  const shared = (await renderer.problems()).filter((one) => !findings.problems.some(isSame(one)));
  findings.problems.push(...shared);
  findings.unassigned.push(...shared.filter(isError));
  return packages;
}

/** Packages that use a shared template report what is wrong in its file. */
const isSame =
  (one: Diagnostic) =>
  ({ code, message, place }: Diagnostic): boolean =>
    code === one.code &&
    message === one.message &&
    place?.file === one.place?.file &&
    place?.line === one.place?.line &&
    place?.column === one.place?.column;

function duplicate(pack: TreePackage, before: TreePackage): Diagnostic {
  return {
    code: 'duplicate-package',
    severity: 'error',
    message: `duplicate package ${pack.key} in this tree`,
    place: pack.definition.place,
    package: pack.key,
    notes: [{ message: 'first definition', place: before.definition.place }],
  };
}

/** The parts of a tree besides its packages. */
type TreeParts = Pick<Tree, 'diagnostics' | 'unassigned' | 'hiding' | 'finalizer' | 'withVersion'>;

/** Creates the indexes of a tree. */
function createTree(packages: ReadonlyMap<string, TreePackage>, found: TreeParts): Tree {
  const index = indexPackages(packages);
  // Computed on demand: only the runtime view needs them.
  let owned: ReturnType<typeof ownedSubpackages> | undefined;
  let runtime: PackageIndex | undefined;
  const subpackages = () => (owned ??= ownedSubpackages(index.packages));
  return {
    ...index,
    ...found,
    ownerOf: (key) => subpackages().get(key)?.owner,
    get runtime() {
      if (runtime !== undefined) return runtime;
      const all = new Map(packages);
      for (const [key, one] of subpackages()) if (!all.has(key)) all.set(key, subpackagePackage(key, one));
      runtime = all.size === packages.size ? index : indexPackages(all);
      return runtime;
    },
  };
}
