import { parseSelector } from '../version/index.ts';

/** One possible reading of a package name on a command line. */
export interface PackageCandidate {
  readonly name: string;
  /** Undefined matches any category. */
  readonly category?: string;
  /** A version selector; empty matches any version. */
  readonly selector: string;
}

/** A package named on a command line. */
export interface PackageArgument {
  /** The text as typed. */
  readonly text: string;
  /**
   * The possible readings, the most likely first. Only `=category/name-version` has more than one: which dash
   * starts the version depends on the tree.
   */
  readonly candidates: readonly [PackageCandidate, ...PackageCandidate[]];
}

/**
 * Parses `category/name` or `name`, each optionally followed by `@VERSION` or `@SELECTOR`, or
 * `=category/name-version`. Returns an error message for anything else.
 */
export function parsePackageArgument(text: string): PackageArgument | { readonly error: string } {
  const exact = /^=(?:([^/@]+)\/)?([^/@]+)$/.exec(text);
  if (exact !== null) return parseExact(text, exact[1], exact[2] ?? '');
  const parts = /^(?:([^/@=<>!\s]+)\/)?([^/@=<>!\s]+)(?:@(.*))?$/.exec(text);
  if (parts === null) {
    return {
      error: `invalid package name ${JSON.stringify(text)}: expected category/name, optionally with @VERSION`,
    };
  }
  const [, category, name = '', selector] = parts;
  if (selector?.trim() === '')
    return { error: `invalid package name ${JSON.stringify(text)}: expected a version after the @` };
  const parsed = parseSelector(selector ?? '');
  if ('error' in parsed) return { error: `invalid package name ${JSON.stringify(text)}: ${parsed.error}` };
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
  // Nearly all versions start with a digit, so the first dash before a digit most likely starts the version.
  const digit = ({ selector }: PackageCandidate): number => (/^=v?\d/.test(selector) ? 0 : 1);
  const [first, ...others] = found.sort((a, b) => digit(a) - digit(b));
  if (first !== undefined) return { text, candidates: [first, ...others] };
  return { error: `missing version in ${JSON.stringify(text)}: expected =category/name-version` };
}
