import type { Catalog } from './catalog.ts';
import type { Problem } from './explain.ts';
import type { Fact, Passage } from './story.ts';
import type { Candidate, Claim, Requirement } from './types.ts';

/** Maximum number of names in a list; the rest is only counted. */
const SHOWN = 8;

/** Formats a list: `a`, `a and b`, `a, b and c`. Long lists keep both ends and count the rest. */
function list(words: readonly string[], joint = 'and'): string {
  const shown =
    words.length <= SHOWN
      ? [...words]
      : [...words.slice(0, 3), `${words.length - 5} more`, ...words.slice(-2)];
  const last = shown.pop() ?? 'nothing';
  return shown.length === 0 ? last : `${shown.join(', ')} ${joint} ${last}`;
}

/** `category/name-version`. */
const form = ({ name, version }: Candidate): string => `${name}-${version}`;

/**
 * Candidates as the subject of a sentence, grouped by package, and whether it is plural. If all versions of a
 * package are meant, they are listed unless `brief` is set.
 */
function subject(
  catalog: Catalog,
  candidates: readonly Candidate[],
  { joint = 'and', brief = false } = {},
): { readonly text: string; readonly plural: boolean } {
  const groups = [...Map.groupBy(new Set(candidates), (candidate) => candidate.name)];
  const texts = groups.map(([name, some]) => {
    const [only, ...more] = some;
    if (only !== undefined && more.length === 0) return { text: form(only), plural: false };
    const versions = list(some.map((candidate) => candidate.version));
    return some.length === catalog.versionsOf(name).length
      ? { text: `every version of ${name}${brief ? '' : ` (${versions})`}`, plural: false }
      : { text: `${name} ${versions}`, plural: true };
  });
  return {
    text: list(
      texts.map(({ text }) => text),
      joint,
    ),
    plural: texts.length > 1 || texts.some(({ plural }) => plural),
  };
}

function who(
  catalog: Catalog,
  claims: readonly Claim[],
): { readonly text: string; readonly plural: boolean } {
  const candidates = claims.flatMap(({ from }) => from ?? []);
  return candidates.length === 0
    ? { text: 'the request', plural: false }
    : subject(catalog, candidates, { brief: true });
}

const wanted = ({ name, selector }: Requirement): string =>
  selector.trim() === '' ? name : `${name} ${selector.trim()}`;

function places(claims: readonly Claim[]): string {
  const origins = [...new Set(claims.flatMap(({ requirement: { origin } }) => origin ?? []))];
  return origins.length === 0 ? '' : ` (${list(origins)})`;
}

function fitting(catalog: Catalog, requirement: Requirement): Candidate[] {
  return catalog
    .options(requirement)
    .groups.flatMap(({ family, spans }) => spans.flatMap(([a, b]) => family.members.slice(a, b + 1)));
}

/** Describes a contradiction, one sentence for each step; the last one is the contradiction. */
export function sentences(
  catalog: Catalog,
  story: readonly Passage[],
  problems: readonly Problem[],
): string[] {
  return story.flatMap(({ facts, ruledOut }) => {
    const told = facts.map((fact) => sentence(catalog, fact));
    if (ruledOut.length === 0) return [...told, conclusion(catalog, story, problems)];
    return [...told, `so ${subject(catalog, ruledOut).text} cannot be selected`];
  });
}

function sentence(catalog: Catalog, fact: Fact): string {
  const [first] = fact;
  if (first?.kind === 'package') {
    const { origin } = first.candidate;
    return `${form(first.candidate)} is requested${origin === undefined ? '' : ` (${origin})`}`;
  }
  const claims = fact.filter((item) => item.kind !== 'package');
  const requirement = claims[0]?.requirement ?? { name: '', selector: '' };
  const { text, plural } = who(catalog, claims);
  if (first?.kind === 'requires') {
    const verb = plural ? 'require' : 'requires';
    return `${text} ${verb} ${wanted(requirement)}${places(claims)}, ${answer(catalog, requirement)}`;
  }
  const hit = fitting(catalog, requirement).filter((candidate) => candidate.name !== first?.from?.name);
  const verb = plural ? 'conflict' : 'conflicts';
  const excluded = subject(catalog, hit).text;
  return `${text} ${verb} with ${wanted(requirement)}${places(claims)}, which excludes ${excluded}`;
}

/** The packages that satisfy a requirement, as the end of a sentence. */
function answer(catalog: Catalog, requirement: Requirement): string {
  const { name } = requirement;
  const fit = new Set(fitting(catalog, requirement));
  const versions = catalog.versionsOf(name);
  if (fit.size === 0) return `but ${lack(catalog, name)}`;
  const { text, plural } = subject(catalog, [...fit]);
  const only = fit.size === 1 ? 'only ' : '';
  const standIns = [...fit].some((c) => c.name !== name) ? ' by providing it' : '';
  const others = versions.filter((c) => !fit.has(c)).map((c) => c.version);
  const rest = others.length === 0 ? '' : `; other versions of ${name}: ${list(others)}`;
  return `which ${only}${text} ${plural ? 'satisfy' : 'satisfies'}${standIns}${rest}`;
}

function lack(catalog: Catalog, name: string): string {
  const versions = catalog.versionsOf(name).map((candidate) => candidate.version);
  const providers = catalog.providersOf(name);
  const { text, plural } = subject(catalog, providers);
  const provided = `${text} ${plural ? 'provide' : 'provides'} it, but in no matching version`;
  if (versions.length === 0) return providers.length > 0 ? provided : 'no package has or provides this name';
  const exist = `only ${name} ${list(versions)} ${versions.length > 1 ? 'exist' : 'exists'}`;
  return providers.length > 0 ? `${exist}; ${provided}` : exist;
}

function conclusion(catalog: Catalog, story: readonly Passage[], problems: readonly Problem[]): string {
  const roots = story
    .flatMap(({ facts }) => facts.flat())
    .flatMap((item) => {
      if (item.from !== undefined || item.kind === 'conflicts') return [];
      return [item.kind === 'package' ? form(item.candidate) : wanted(item.requirement)];
    });
  const asked = `${list(roots)} cannot be selected${roots.length > 1 ? ' together' : ''}`;
  // If versions were ruled out one after the other, the reasons are in the earlier sentences.
  if (story.length > 1) return `so no option is left, and ${asked}`;
  const ends = problems.map((problem) => ending(catalog, problem));
  return ends.length === 1 ? `so ${ends[0]}` : `so ${asked}: ${ends.join('; ')}`;
}

function ending(catalog: Catalog, problem: Problem): string {
  if (problem.kind === 'two-versions') {
    const bySelector = Map.groupBy(problem.claims, ({ requirement }) => requirement.selector.trim());
    const claims = [...bySelector].map(
      ([selector, some]) => `${selector === '' ? 'any' : selector} for ${who(catalog, some).text}`,
    );
    const asked = problem.requested.map(({ version }) => `${version} as requested`);
    return `several versions of ${problem.name} would be needed at the same time: ${list([...asked, ...claims])}`;
  }
  const owner = who(catalog, [problem]).text;
  const what = wanted(problem.requirement);
  switch (problem.kind) {
    case 'invalid-selector':
      return `${owner} has an invalid requirement: ${problem.reason}`;
    case 'unknown-name': {
      const hint = problem.nearest === undefined ? '' : `; did you mean ${problem.nearest}?`;
      return `${what}, required by ${owner}, not found${hint}`;
    }
    case 'no-version':
      return `no version of ${problem.requirement.name} matches ${what}, required by ${owner}`;
    case 'conflict':
      return `${owner} and ${subject(catalog, problem.with, { joint: 'or' }).text} would have to be selected together, but they conflict`;
    case 'none-left':
      return `no option is left for ${what}, required by ${owner}`;
  }
}
