import { parseSelector } from '../version/index.ts';

/** One reading of a package name on a command line. */
export interface PackageCandidate {
  readonly name: string;
  /** Undefined where any category will do. */
  readonly category?: string;
  /** Empty where any version will do. */
  readonly selector: string;
}

/** A package as it is named on a command line. */
export interface PackageArgument {
  /** As it was typed. */
  readonly text: string;
  /**
   * What it can mean, the likeliest first. More than one only for `=category/name-version`, where a tree has to
   * say at which dash the version begins.
   */
  readonly candidates: readonly [PackageCandidate, ...PackageCandidate[]];
}

/**
 * Reads `category/name`, `name`, either with `@VERSION` or `@SELECTOR` behind it, or `=category/name-version`.
 * What is none of these gives the reason as a sentence.
 */
export function parsePackageArgument(text: string): PackageArgument | { readonly error: string } {
  const exact = /^=(?:([^/@]+)\/)?([^/@]+)$/.exec(text);
  if (exact !== null) return parseExact(text, exact[1], exact[2] ?? '');
  const parts = /^(?:([^/@=<>!\s]+)\/)?([^/@=<>!\s]+)(?:@(.*))?$/.exec(text);
  if (parts === null) {
    return {
      error: `${JSON.stringify(text)} is no package: expected category/name, optionally with @VERSION`,
    };
  }
  const [, category, name = '', selector] = parts;
  if (selector?.trim() === '') return { error: `${JSON.stringify(text)} has no version behind the @` };
  const parsed = parseSelector(selector ?? '');
  if ('error' in parsed) return { error: `${JSON.stringify(text)}: ${parsed.error}` };
  return { text, candidates: [candidate(category, name, selector?.trim() ?? '')] };
}

function candidate(category: string | undefined, name: string, selector: string): PackageCandidate {
  return { name, selector, ...(category !== undefined && { category }) };
}

function parseExact(
  text: string,
  category: string | undefined,
  rest: string,
): PackageArgument | { readonly error: string } {
  const found: PackageCandidate[] = [];
  for (const dash of rest.matchAll(/-(?=.)/g)) {
    const name = rest.slice(0, dash.index);
    const version = rest.slice(dash.index + 1);
    if (name !== '' && !('error' in parseSelector(`=${version}`)))
      found.push(candidate(category, name, `=${version}`));
  }
  // Versions begin with a digit nearly always, and the first dash before one begins the version.
  const digit = ({ selector }: PackageCandidate): number => (/^=v?\d/.test(selector) ? 0 : 1);
  const [first, ...others] = found.sort((a, b) => digit(a) - digit(b));
  if (first !== undefined) return { text, candidates: [first, ...others] };
  return { error: `${JSON.stringify(text)} has no version: expected =category/name-version` };
}
