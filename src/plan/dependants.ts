import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import { createUniverse, type Requirement, type Universe } from '../solver/index.ts';
import {
  buildtimeCandidates,
  errorsIn,
  requirement,
  runtimeCandidates,
  type Tree,
  type TreePackage,
  type View,
} from '../tree/index.ts';
import { Needs } from './needs.ts';

/** Packages that depend on others, or that others depend on. */
export interface Related {
  /** In the order of the tree; dependencies in the order of building. */
  readonly packages: readonly TreePackage[];
  /** Packages whose dependencies are unknown, because they cannot be solved. */
  readonly unsolved: readonly TreePackage[];
  /** Why they cannot be solved. */
  readonly problems: readonly Diagnostic[];
}

/**
 * The packages that need any of some packages in one view, directly or indirectly. Only packages that could
 * need them are solved, so errors in other parts of the tree do not matter.
 */
export function dependantsOf(tree: Tree, targets: readonly TreePackage[], view: View): Related {
  const wanted = new Set(targets.map(({ key }) => key));
  const needs = new Needs(tree, view);
  const packages: TreePackage[] = [];
  const unsolved: TreePackage[] = [];
  const problems: Diagnostic[] = [];
  const possible = possiblyNeeding(tree, wanted, view);
  for (const pack of (view === 'runtime' ? tree.runtime : tree).packages) {
    if (!needs.has(pack) || (!possible.has(pack.key) && !hidesNeeds(pack, view))) continue;
    try {
      const needed = needs.of(pack).members.filter(({ key }) => key !== pack.key);
      if (needed.some(({ key }) => wanted.has(key))) packages.push(pack);
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      unsolved.push(pack);
      problems.push(...error.diagnostics);
    }
  }
  return { packages, unsolved, problems };
}

/** Codes of errors that do not affect what a package needs. */
const NO_NEED: ReadonlySet<string> = new Set([
  'invalid-env',
  'invalid-expression',
  'invalid-image',
  'invalid-name',
  'invalid-version',
  'no-image',
]);

/** Whether a package may have requirements that could not be read. */
function hidesNeeds(pack: TreePackage, view: View): boolean {
  return errorsIn(pack, view).some(({ code }) => !NO_NEED.has(code));
}

/** Keys of the packages from which any chain of possible choices leads to some packages. */
function possiblyNeeding(tree: Tree, targets: ReadonlySet<string>, view: View): ReadonlySet<string> {
  const dependants = new Map<string, string[]>();
  const add = (from: string, to: string): void => {
    const known = dependants.get(to);
    if (known === undefined) dependants.set(to, [from]);
    else known.push(from);
  };
  const addAll = (from: string, universe: Universe, wanted: readonly Requirement[], mark: string): void => {
    for (const one of wanted)
      for (const { family, spans } of universe.options(one).groups)
        for (const [first, last] of spans)
          for (const { id } of family.members.slice(first, last + 1)) add(from, mark + id);
  };
  const runtime = (mark: string): void => {
    const candidates = runtimeCandidates(tree);
    const universe = createUniverse(candidates);
    for (const { id, requires } of candidates) addAll(mark + id, universe, requires, mark);
  };
  if (view === 'runtime') runtime('');
  else {
    const candidates = buildtimeCandidates(tree);
    const universe = createUniverse(candidates);
    // A package built on the contents of packages also needs their requirements at run time, and all of these
    // must be built.
    const content = 'content ';
    let final = false;
    for (const { id, requires } of candidates) {
      addAll(id, universe, requires, '');
      const { copy = [], requiresFinalImages = false } = tree.byKey(id)?.build ?? {};
      const copied = copy.flatMap(({ package: ref }) => (ref === undefined ? [] : [requirement(ref)]));
      addAll(id, universe, copied, '');
      if (!requiresFinalImages) continue;
      final = true;
      addAll(id, universe, requires, content);
    }
    if (final) {
      runtime(content);
      for (const { key } of tree.runtime.packages) {
        add(content + key, key);
        const owner = tree.ownerOf(key);
        if (owner !== undefined) add(content + key, owner.key);
      }
    }
  }
  const found = new Set(targets);
  for (const key of found) for (const from of dependants.get(key) ?? []) found.add(from);
  return found;
}

/**
 * Everything that some packages need in one view, in the order of building. The packages themselves are
 * included only if others of them need them.
 */
export function dependenciesOf(tree: Tree, of: readonly TreePackage[], view: View): Related {
  const needs = new Needs(tree, view);
  const index = view === 'runtime' ? tree.runtime : tree;
  const packages = new Set<TreePackage>();
  const unsolved: TreePackage[] = [];
  const problems: Diagnostic[] = [];
  for (const pack of of) {
    try {
      for (const { key } of needs.of(pack).members) {
        const member = key === pack.key ? undefined : index.byKey(key);
        if (member !== undefined) packages.add(member);
      }
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      unsolved.push(pack);
      problems.push(...error.diagnostics);
    }
  }
  return { packages: [...packages], unsolved, problems };
}
