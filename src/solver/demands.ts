import { type Catalog, type Family, type IndexRange, mergeSpans } from './catalog.ts';
import type { ClauseEncoding } from './encoding.ts';
import type { Candidate, Claim, Request } from './types.ts';

/** One demand: of the request if `from` is undefined, otherwise of a candidate. */
export type CoreItem =
  | (Claim & { readonly kind: 'requires' })
  | (Claim & { readonly kind: 'conflicts' })
  | { readonly kind: 'package'; readonly from: undefined; readonly candidate: Candidate };

/** The demands of a request. */
export function requestDemands(catalog: Catalog, request: Request): CoreItem[] {
  const packages = (request.packages ?? []).flatMap((id): CoreItem[] => {
    const candidate = catalog.candidate(id);
    return candidate === undefined ? [] : [{ kind: 'package', from: undefined, candidate }];
  });
  return [...packages, ...demandsOf(catalog, undefined, request.requires, request.conflicts ?? [])];
}

/** The demands of all members of a family. */
export function familyDemands(catalog: Catalog, family: Family): CoreItem[] {
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

/** The families that a demand can add to a solution. */
export function reachedBy(catalog: Catalog, item: CoreItem): readonly Family[] {
  if (item.kind === 'package') return [catalog.place(item.candidate.id).family];
  if (item.kind === 'conflicts') return [];
  return catalog.options(item.requirement).groups.map((group) => group.family);
}

/** Demands in breadth-first order from the request. */
export function fromRequest(catalog: Catalog, items: readonly CoreItem[]): CoreItem[] {
  const byOwner = Map.groupBy(items, (item) => item.from?.name);
  const ordered: CoreItem[] = [];
  const reached = new Set<string | undefined>([undefined]);
  // The set grows during the loop.
  for (const name of reached) {
    for (const item of byOwner.get(name) ?? []) {
      ordered.push(item);
      for (const family of reachedBy(catalog, item)) reached.add(family.name);
    }
  }
  return ordered;
}

/**
 * The clauses of demands. Several demands share clauses only if they are the same demand of several versions
 * of a package.
 */
export function clausesOf(
  catalog: Catalog,
  encoding: ClauseEncoding,
  items: readonly CoreItem[],
): number[][] {
  const [item] = items;
  if (item === undefined) return [];
  if (item.kind === 'package') {
    const { family, index } = catalog.place(item.candidate.id);
    return [[encoding.exactly(family, index)]];
  }
  const places = items.flatMap(({ from }) => (from === undefined ? [] : catalog.place(from.id)));
  const family = places[0]?.family;
  const spans = places.map(({ index }): IndexRange => [index, index]);
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
