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

/** What an argument means in a tree. */
export interface Found {
  /** The versions that fit, newest first: the first is the one that is meant. Empty where there is an error. */
  readonly packages: readonly TreePackage[];
  /** At most one: why nothing was found. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The packages that an argument of a command line names: `category/name`, `name`, either with `@VERSION` or
 * `@SELECTOR`, or `=category/name-version`. A bare name that several categories have is an error; so is a subpackage where
 * packages are meant as they are at build time, because it is not built by itself.
 */
export function findPackages(tree: Tree, argument: string | PackageArgument, view: View): Found {
  const parsed = typeof argument === 'string' ? parsePackageArgument(argument) : argument;
  if ('error' in parsed) return failed('invalid-package', parsed.error);
  const index = view === 'runtime' ? tree.runtime : tree;
  const found = findIn(index, parsed);
  if (found.packages.length > 0 || view === 'runtime') return found;
  const subpackage = findIn(tree.runtime, parsed).packages.find(({ cutFrom }) => cutFrom !== undefined);
  return subpackage === undefined ? found : { packages: [], diagnostics: [notBuilt(tree, subpackage)] };
}

/** Says that a package has nothing that it could be built by, and what it is cut from where it is a subpackage. */
export function notBuilt(tree: Tree, { key, definition }: TreePackage): Diagnostic {
  const owner = tree.ownerOf(key);
  const place = definition.place;
  const about = { code: 'not-buildable', severity: 'error', place, package: key } as const;
  if (owner === undefined) return { ...about, message: 'it has no build.yaml' };
  return {
    ...about,
    message: `it is cut from ${owner.key}, and is not built by itself`,
    hint: `Name ${packageName(owner.definition)}, whose build writes both`,
  };
}

function findIn(index: PackageIndex, parsed: PackageArgument): Found {
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

function failed(code: string, message: string, hint?: string): Found {
  const diagnostic: Diagnostic = { code, severity: 'error', message, ...(hint !== undefined && { hint }) };
  return { packages: [], diagnostics: [diagnostic] };
}

function ambiguous(text: string, fitting: readonly (readonly TreePackage[])[]): Found {
  const names = fitting.flatMap((all) => (all[0] === undefined ? [] : [packageName(all[0].definition)]));
  return failed(
    'ambiguous-package',
    `${JSON.stringify(text)} can be ${names.join(' or ')}`,
    'Name it with its category',
  );
}

function noVersion(index: PackageIndex, text: string, candidate: PackageCandidate): Found {
  const lines = namesOf(index, candidate).map((name) => {
    const versions = index.byName(name).map(({ definition }) => definition.version || '(no version)');
    return `${name} there is ${enumerate(versions)}`;
  });
  return failed(
    'unknown-package',
    `no version of the package fits ${JSON.stringify(text)}`,
    `Of ${lines.join('; of ')}`,
  );
}

function unknown(index: PackageIndex, { text, candidates }: PackageArgument): Found {
  const [{ name, category }] = candidates;
  const exact = index.byKey(text)?.definition;
  if (exact !== undefined) {
    const hint = `Did you mean ${packageName(exact)}@${exact.version}?`;
    return failed('unknown-package', `there is no package ${JSON.stringify(text)}`, hint);
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
    `there is no package ${JSON.stringify(text)}`,
    full === undefined ? undefined : `Did you mean ${full.sort().join(' or ')}?`,
  );
}

const baseName = (full: string): string => full.slice(full.lastIndexOf('/') + 1);

/** A list in words, cut where it is long. */
export function enumerate(texts: readonly string[]): string {
  const shown = texts.slice(0, 8);
  const more = texts.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
