import { type Catalog, type Family, mergeSpans, type Span } from './catalog.ts';
import type { Encoding } from './encoding.ts';
import type { Candidate, Claim, Request } from './types.ts';

/** One thing that was asked for: by the request where `from` is undefined, by a candidate otherwise. */
export type CoreItem =
  | (Claim & { readonly kind: 'requires' })
  | (Claim & { readonly kind: 'conflicts' })
  | { readonly kind: 'package'; readonly from: undefined; readonly candidate: Candidate };

/** What a request demands. */
export function asked(catalog: Catalog, request: Request): CoreItem[] {
  const packages = (request.packages ?? []).flatMap((id): CoreItem[] => {
    const candidate = catalog.candidate(id);
    return candidate === undefined ? [] : [{ kind: 'package', from: undefined, candidate }];
  });
  return [...packages, ...demandsOf(catalog, undefined, request.requires, request.conflicts ?? [])];
}

/** What the members of a family demand. */
export function demanded(catalog: Catalog, family: Family): CoreItem[] {
  return family.members.flatMap((from) => {
    const required = from.requires.filter((requirement) => !catalog.satisfies(from, requirement));
    return demandsOf(catalog, from, required, from.conflicts);
  });
}

function demandsOf(
  catalog: Catalog,
  from: Candidate | undefined,
  requires: Candidate['requires'],
  conflicts: Candidate['conflicts'],
): CoreItem[] {
  const felt = conflicts.filter((conflict) =>
    catalog.options(conflict).groups.some((group) => group.family.name !== from?.name),
  );
  return [
    ...requires.map((requirement): CoreItem => ({ kind: 'requires', from, requirement })),
    ...felt.map((requirement): CoreItem => ({ kind: 'conflicts', from, requirement })),
  ];
}

/** The families that a demand can bring into a solution. */
export function reachedBy(catalog: Catalog, item: CoreItem): readonly Family[] {
  if (item.kind === 'package') return [catalog.place(item.candidate.id).family];
  if (item.kind === 'conflicts') return [];
  return catalog.options(item.requirement).groups.map((group) => group.family);
}

/** Demands in the order in which they are reached from the request. */
export function fromRequest(catalog: Catalog, items: readonly CoreItem[]): CoreItem[] {
  const byOwner = Map.groupBy(items, (item) => item.from?.name);
  const ordered: CoreItem[] = [];
  const reached = new Set<string | undefined>([undefined]);
  // The set grows while it is walked.
  for (const name of reached) {
    for (const item of byOwner.get(name) ?? []) {
      ordered.push(item);
      for (const family of reachedBy(catalog, item)) reached.add(family.name);
    }
  }
  return ordered;
}

/** Demands as clauses; several only where they say the same of several versions of one package. */
export function clausesOf(catalog: Catalog, encoding: Encoding, items: readonly CoreItem[]): number[][] {
  const [item] = items;
  if (item === undefined) return [];
  if (item.kind === 'package') {
    const { family, index } = catalog.place(item.candidate.id);
    return [[encoding.exactly(family, index)]];
  }
  const places = items.flatMap(({ from }) => (from === undefined ? [] : catalog.place(from.id)));
  const family = places[0]?.family;
  const spans = places.map(({ index }): Span => [index, index]);
  const owned = spans.length > 1 ? mergeSpans(spans) : spans;
  const idle = family === undefined ? [[]] : owned.map((span) => encoding.outside(family, span));
  const options = catalog.options(item.requirement);
  if (item.kind === 'requires') {
    const { literal } = encoding.bareNeed(options);
    return idle.map((off) => [...off, literal]);
  }
  const excluded = options.groups
    .filter((group) => group.family !== family)
    .flatMap((group) => group.spans.map((span) => encoding.outside(group.family, span)));
  return idle.flatMap((off) => excluded.map((clause) => [...off, ...clause]));
}
