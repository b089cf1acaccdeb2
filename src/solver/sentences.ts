import type { Catalog } from './catalog.ts';
import type { CoreItem } from './core.ts';
import type { Problem } from './explain.ts';
import type { Candidate, Claim, Requirement } from './types.ts';

/** How many names a list shows before it counts the rest. */
const SHOWN = 8;

/** `a`, `a and b`, `a, b and c`; long lists keep both ends and count what is between. */
function list(words: readonly string[], joint = 'and'): string {
  const shown =
    words.length <= SHOWN
      ? [...words]
      : [...words.slice(0, 3), `${words.length - 5} more up to`, ...words.slice(-2)];
  const last = shown.pop() ?? 'nothing';
  return shown.length === 0 ? last : `${shown.join(', ')} ${joint} ${last}`;
}

/** `category/name-version`. */
const form = ({ name, version }: Candidate): string => `${name}-${version}`;

const wanted = ({ name, selector }: Requirement): string =>
  selector.trim() === '' ? name : `${name} ${selector.trim()}`;

/** Candidates, those of one name together: `a/b-1.0 and a/b-1.1`. */
const forms = (candidates: readonly Candidate[], joint = 'and'): string => list(candidates.map(form), joint);

const places = (requirements: readonly Requirement[]): string => {
  const origins = [...new Set(requirements.flatMap(({ origin }) => (origin === undefined ? [] : [origin])))];
  return origins.length === 0 ? '' : ` (${list(origins)})`;
};

const who = (from: readonly (Candidate | undefined)[]): string => {
  const candidates = from.filter((c) => c !== undefined);
  return candidates.length === 0 ? 'the request' : forms(candidates);
};

/** Items that say the same of several versions of one package, together. */
function grouped<T extends Claim>(claims: readonly T[]): T[][] {
  return [
    ...Map.groupBy(claims, ({ from, requirement }) =>
      JSON.stringify([from?.name, requirement.name, requirement.selector]),
    ).values(),
  ];
}

/** The demands of a core as lines: what is requested, who requires what in turn, and who conflicts. */
export function linesOf(catalog: Catalog, core: readonly CoreItem[]): string[] {
  const packages = core.filter((item) => item.kind === 'package');
  const requires = grouped(core.filter((item) => item.kind === 'requires'));
  const conflicts = grouped(core.filter((item) => item.kind === 'conflicts'));
  return [
    ...packages.map(({ candidate }) => {
      const origin = candidate.origin === undefined ? '' : ` (${candidate.origin})`;
      return `${form(candidate)} is requested${origin}`;
    }),
    ...requires.map((items) => {
      const all = items.map((item) => item.requirement);
      const requirement = all[0] as Requirement;
      const verb = plural(items) ? 'require' : 'requires';
      return `${who(items.map((i) => i.from))} ${verb} ${wanted(requirement)}${places(all)}, ${answer(catalog, requirement)}`;
    }),
    ...conflicts.map((items) => {
      const all = items.map((item) => item.requirement);
      const requirement = all[0] as Requirement;
      const hit = fitting(catalog, requirement).filter((c) => c.name !== items[0]?.from?.name);
      const verb = plural(items) ? 'conflict' : 'conflicts';
      return `${who(items.map((i) => i.from))} ${verb} with ${wanted(requirement)}${places(all)}, which rules out ${forms(hit)}`;
    }),
  ];
}

const plural = (items: readonly Claim[]): boolean => items.length > 1 && items[0]?.from !== undefined;

function fitting(catalog: Catalog, requirement: Requirement): Candidate[] {
  return catalog
    .options(requirement)
    .groups.flatMap(({ family, spans }) => spans.flatMap(([a, b]) => family.members.slice(a, b + 1)));
}

/** What there is for a requirement, as the end of a sentence. */
function answer(catalog: Catalog, requirement: Requirement): string {
  const { name } = requirement;
  const fit = new Set(fitting(catalog, requirement));
  const versions = catalog.versionsOf(name);
  if (fit.size === 0)
    return `but ${lack(
      versions.map((c) => c.version),
      catalog.providersOf(name),
      name,
    )}`;
  const verb = fit.size > 1 ? 'satisfy' : 'satisfies';
  const standIns = [...fit].some((c) => c.name !== name) ? ' (some by what they provide)' : '';
  const others = versions.filter((c) => !fit.has(c)).map((c) => c.version);
  const rest = others.length === 0 ? '' : `; there is also ${list(others)}`;
  return `which ${fit.size > 1 ? '' : 'only '}${forms([...fit])} ${verb}${standIns}${rest}`;
}

function lack(versions: readonly string[], providers: readonly Candidate[], name: string): string {
  const provided = providers.length === 0 ? '' : `${forms(providers)} provides it in no version that fits`;
  if (versions.length === 0) return provided === '' ? `nothing is named ${name} or provides it` : provided;
  return `of ${name} there is only ${list(versions)}${provided === '' ? '' : `, and ${provided}`}`;
}

/** The last line: the contradiction itself, or what the contradictions rule out together. */
export function conclusion(core: readonly CoreItem[], problems: readonly Problem[]): string {
  const [first, ...more] = problems;
  if (first !== undefined && more.length === 0) return `so ${ending(first)}`;
  const roots = core.flatMap((item) => {
    if (item.from !== undefined) return [];
    if (item.kind === 'package') return [form(item.candidate)];
    return item.kind === 'requires' ? [wanted(item.requirement)] : [];
  });
  return `so every way to ${list(roots)} is closed: ${problems.map(ending).join('; ')}`;
}

function ending(problem: Problem): string {
  switch (problem.kind) {
    case 'invalid-selector':
      return `nothing can satisfy ${who([problem.from])}: ${problem.reason}`;
    case 'unknown-name': {
      const hint = problem.nearest === undefined ? '' : `; is ${problem.nearest} meant?`;
      return `nothing satisfies ${wanted(problem.requirement)}, which ${who([problem.from])} requires${hint}`;
    }
    case 'no-version':
      return `no version of ${problem.requirement.name} is what ${who([problem.from])} requires, ${wanted(problem.requirement)}`;
    case 'conflict':
      return `${who([problem.from])} and ${forms(problem.with, 'or')} would have to be together, and they conflict`;
    case 'two-versions': {
      const claims = grouped(problem.claims).map((some) => {
        const [{ requirement }] = some as [Claim];
        return `${requirement.selector.trim() || 'any'} for ${who(some.map((c) => c.from))}`;
      });
      const asked = problem.requested.map(({ version }) => `${version} as requested`);
      return `${problem.name} would be needed in several versions at once: ${list([...asked, ...claims])}`;
    }
    case 'none-left':
      return `nothing that satisfies ${wanted(problem.requirement)} for ${who([problem.from])} is left`;
  }
}
