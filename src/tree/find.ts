import { type Diagnostic, nearest } from '../diagnostic/index.ts';
import {
  type PackageArgument,
  type PackageCandidate,
  packageName,
  parsePackageArgument,
} from '../spec/index.ts';
import { admits, parseSelector } from '../version/index.ts';
import type { PackageIndex, Tree, TreePackage } from './types.ts';
import type { View } from './validate.ts';

/** The packages that an argument refers to. */
export interface FoundPackages {
  /** The matching versions, newest first; the first one is used. Empty if there is an error. */
  readonly packages: readonly TreePackage[];
  /** Why nothing was found; at most one. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Finds the packages that a command line argument names: `category/name` or `name`, each optionally with
 * `@VERSION` or `@SELECTOR`, or `=category/name-version`. A name without category that exists in several
 * categories is an error. In the build-time view, a subpackage is an error, because it is not built
 * separately.
 */
export function findPackages(tree: Tree, argument: string | PackageArgument, view: View): FoundPackages {
  const parsed = typeof argument === 'string' ? parsePackageArgument(argument) : argument;
  if ('error' in parsed) return failed('invalid-package', parsed.error);
  const index = view === 'runtime' ? tree.runtime : tree;
  const found = findIn(index, parsed);
  if (found.packages.length > 0 || view === 'runtime') return found;
  const subpackage = findIn(tree.runtime, parsed).packages.find(({ cutFrom }) => cutFrom !== undefined);
  return subpackage === undefined ? found : { packages: [], diagnostics: [notBuilt(tree, subpackage)] };
}

/** The problem of a package without a build. For a subpackage, it names the package that it is cut from. */
export function notBuilt(tree: Tree, { key, definition }: TreePackage): Diagnostic {
  const owner = tree.ownerOf(key);
  const place = definition.place;
  const about = { code: 'not-buildable', severity: 'error', place, package: key } as const;
  if (owner === undefined) return { ...about, message: 'the package has no build.yaml' };
  return {
    ...about,
    message: `a subpackage is not built by itself; it is cut from ${owner.key}`,
    hint: `Build ${packageName(owner.definition)}, which writes both packages`,
  };
}

function findIn(index: PackageIndex, parsed: PackageArgument): FoundPackages {
  let unmet: PackageCandidate | undefined;
  for (const candidate of parsed.candidates) {
    const names = namesOf(index, candidate);
    const fitting = names.map((name) => fit(index.byName(name), candidate)).filter((all) => all.length > 0);
    if (fitting.length > 1) return ambiguous(parsed.text, fitting);
    if (fitting[0] !== undefined) return { packages: fitting[0], diagnostics: [] };
    if (names.length > 0) unmet ??= candidate;
  }
  return unmet === undefined ? unknown(index, parsed) : noVersion(index, parsed.text, unmet);
}

function namesOf(index: PackageIndex, { name, category }: PackageCandidate): readonly string[] {
  if (category !== undefined) {
    const full = `${category}/${name}`;
    return index.byName(full).length > 0 ? [full] : [];
  }
  const suffix = `/${name}`;
  return [...index.names()].filter((known) => known === name || known.endsWith(suffix)).sort();
}

function fit(packages: readonly TreePackage[], { selector }: PackageCandidate): readonly TreePackage[] {
  const wanted = parseSelector(selector);
  if ('error' in wanted) return [];
  return packages.filter(({ definition }) => admits(wanted, definition.version));
}

function failed(code: string, message: string, hint?: string): FoundPackages {
  const diagnostic: Diagnostic = { code, severity: 'error', message, ...(hint !== undefined && { hint }) };
  return { packages: [], diagnostics: [diagnostic] };
}

function ambiguous(text: string, fitting: readonly (readonly TreePackage[])[]): FoundPackages {
  const names = fitting.flatMap((all) => (all[0] === undefined ? [] : [packageName(all[0].definition)]));
  return failed(
    'ambiguous-package',
    `package name ${JSON.stringify(text)} is ambiguous: ${names.join(' or ')}`,
    'Add the category',
  );
}

function noVersion(index: PackageIndex, text: string, candidate: PackageCandidate): FoundPackages {
  const lines = namesOf(index, candidate).map((name) => {
    const versions = index.byName(name).map(({ definition }) => definition.version || '(no version)');
    return `${name}: ${enumerate(versions)}`;
  });
  return failed(
    'unknown-package',
    `no version matches ${JSON.stringify(text)}`,
    `Versions of ${lines.join('; of ')}`,
  );
}

function unknown(index: PackageIndex, { text, candidates }: PackageArgument): FoundPackages {
  const [{ name, category }] = candidates;
  const exact = index.byKey(text)?.definition;
  if (exact !== undefined) {
    const hint = `Did you mean ${packageName(exact)}@${exact.version}?`;
    return failed('unknown-package', `package ${JSON.stringify(text)} not found`, hint);
  }
  const names = [...index.names()];
  const wanted = category === undefined ? name : `${category}/${name}`;
  const meant =
    category === undefined
      ? nearest(name, new Set(names.map(baseName)))
      : (names.find((known) => baseName(known) === name) ?? nearest(wanted, names));
  const full =
    meant === undefined ? undefined : names.filter((known) => known === meant || baseName(known) === meant);
  return failed(
    'unknown-package',
    `package ${JSON.stringify(text)} not found`,
    full === undefined ? undefined : `Did you mean ${full.sort().join(' or ')}?`,
  );
}

const baseName = (full: string): string => full.slice(full.lastIndexOf('/') + 1);

/** Formats a list in words; a long list is shortened. */
export function enumerate(texts: readonly string[]): string {
  const shown = texts.slice(0, 8);
  const more = texts.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
