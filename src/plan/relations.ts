import type { Candidate, Solution, Universe } from '../solver/index.ts';

/** One requirement of a candidate, and the candidate that the solver tries first for it. */
export interface RequirementEdge {
  readonly from: Candidate;
  readonly to: Candidate;
  /** Index of the requirement in `from`. */
  readonly index: number;
}

/**
 * The candidates that the solver tries first for the requirements of a candidate: providers before the name
 * itself, the newest matching version. Requirements that nothing satisfies, or that the candidate satisfies
 * itself, have no edge.
 */
export function preferred(universe: Universe, from: Candidate): readonly RequirementEdge[] {
  const edges: RequirementEdge[] = [];
  for (const [index, requirement] of from.requires.entries()) {
    if (requirement.name !== from.name && universe.satisfies(from, requirement)) continue;
    const group = universe.options(requirement).groups[0];
    const to = group?.family.members[group.spans.at(-1)?.[1] ?? -1];
    if (to !== undefined) edges.push({ from, to, index });
  }
  return edges;
}

/**
 * The solution for a single candidate if it is obvious: only first choices, which do not exclude each other
 * and for which no alternative provider exists. Undefined if the solver is needed.
 */
export function plainSolution(universe: Universe, start: Candidate): readonly Candidate[] | undefined {
  const byName = new Map([[start.name, start]]);
  const found = [start];
  for (const at of found) {
    for (const requirement of at.requires) {
      const [group, other] = universe.options(requirement).groups;
      const to = group?.family.members[group.spans.at(-1)?.[1] ?? -1];
      if (group === undefined || to === undefined || other !== undefined || group.provider) return undefined;
      const before = byName.get(to.name);
      if (before === undefined) {
        byName.set(to.name, to);
        found.push(to);
      } else if (before !== to) return undefined;
    }
  }
  const excluded = found.some((one) =>
    one.conflicts.some((conflict) => found.some((other) => universe.satisfies(other, conflict))),
  );
  return excluded ? undefined : found;
}

/** Candidates that are in a cycle, or need a candidate in a cycle. */
export function needingCycles(
  candidates: readonly Candidate[],
  edgesOf: (candidate: Candidate) => readonly RequirementEdge[],
): ReadonlySet<Candidate> {
  const found = new Set<Candidate>();
  // Each component comes after the components it needs.
  for (const component of components(candidates, edgesOf)) {
    const needs = component.some((member) =>
      edgesOf(member).some(({ to }) => to === member || found.has(to)),
    );
    if (component.length > 1 || needs) for (const member of component) found.add(member);
  }
  return found;
}

/** The edges of a solution: the requirements of each candidate and the candidate selected for each. */
export function solvedEdges({
  edges,
}: Pick<Solution, 'edges'>): (from: Candidate) => readonly RequirementEdge[] {
  const found = new Map<Candidate, RequirementEdge[]>();
  for (const { from, to, requirement } of edges) {
    if (from === undefined || (from === to && requirement.name !== from.name)) continue;
    const edge = { from, to, index: from.requires.indexOf(requirement) };
    const same = found.get(from);
    if (same === undefined) found.set(from, [edge]);
    else same.push(edge);
  }
  return (from) => found.get(from) ?? [];
}

/**
 * The cycles of a graph. For each set of candidates that need each other, one shortest cycle that starts with
 * the first candidate. (Tarjan's strongly connected components, without recursion.)
 */
export function cycles(
  candidates: readonly Candidate[],
  edgesOf: (candidate: Candidate) => readonly RequirementEdge[],
): readonly (readonly RequirementEdge[])[] {
  const found: (readonly RequirementEdge[])[] = [];
  for (const component of components(candidates, edgesOf)) {
    const inside = new Set(component);
    const first = component.reduce((a, b) => (a.id < b.id ? a : b));
    const circle = shortestCycle(first, (at) => edgesOf(at).filter(({ to }) => inside.has(to)));
    if (circle !== undefined) found.push(circle);
  }
  return found;
}

interface SearchFrame {
  readonly candidate: Candidate;
  readonly edges: readonly RequirementEdge[];
  next: number;
}

function* components(
  candidates: readonly Candidate[],
  edgesOf: (candidate: Candidate) => readonly RequirementEdge[],
): Generator<readonly Candidate[]> {
  const index = new Map<Candidate, number>();
  const low = new Map<Candidate, number>();
  const open: Candidate[] = [];
  const isOpen = new Set<Candidate>();
  const lower = (candidate: Candidate, to: number): void => {
    low.set(candidate, Math.min(low.get(candidate) ?? to, to));
  };
  const enter = (candidate: Candidate): SearchFrame => {
    index.set(candidate, index.size);
    lower(candidate, index.size - 1);
    open.push(candidate);
    isOpen.add(candidate);
    return { candidate, edges: edgesOf(candidate), next: 0 };
  };
  for (const root of candidates) {
    if (index.has(root)) continue;
    const stack = [enter(root)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const edge = frame.edges[frame.next++];
      if (edge !== undefined) {
        const seen = index.get(edge.to);
        if (seen === undefined) stack.push(enter(edge.to));
        else if (isOpen.has(edge.to)) lower(frame.candidate, seen);
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      const mine = low.get(frame.candidate) ?? 0;
      if (parent !== undefined) lower(parent.candidate, mine);
      if (mine !== index.get(frame.candidate)) continue;
      const component = open.splice(open.lastIndexOf(frame.candidate));
      for (const member of component) isOpen.delete(member);
      yield component;
    }
  }
}

/** A shortest path from a candidate back to itself (breadth first). Undefined if there is none. */
function shortestCycle(
  start: Candidate,
  edgesOf: (candidate: Candidate) => readonly RequirementEdge[],
): readonly RequirementEdge[] | undefined {
  const reachedBy = new Map<Candidate, RequirementEdge>();
  const queue = [start];
  for (const at of queue) {
    for (const edge of edgesOf(at)) {
      if (edge.to === start) return wayTo(edge, start, reachedBy);
      if (reachedBy.has(edge.to)) continue;
      reachedBy.set(edge.to, edge);
      queue.push(edge.to);
    }
  }
  return undefined;
}

function wayTo(
  last: RequirementEdge,
  start: Candidate,
  reachedBy: ReadonlyMap<Candidate, RequirementEdge>,
): readonly RequirementEdge[] {
  const way = [last];
  for (let at = last.from; at !== start; ) {
    const edge = reachedBy.get(at);
    if (edge === undefined) break;
    way.unshift(edge);
    at = edge.from;
  }
  return way;
}

/**
 * For each candidate, all candidates with their own image that it needs, sorted by id. In cycles, only those
 * found before the cycle closes.
 */
export function imagesBelow(
  candidates: readonly Candidate[],
  edgesOf: (candidate: Candidate) => readonly RequirementEdge[],
  hasImage: (candidate: Candidate) => boolean,
): ReadonlyMap<Candidate, readonly Candidate[]> {
  const below = new Map<Candidate, readonly Candidate[]>();
  // Each component comes after the components it needs.
  for (const component of components(candidates, edgesOf)) {
    const images = new Set<Candidate>();
    for (const member of component) {
      for (const { to } of edgesOf(member)) {
        if (hasImage(to)) images.add(to);
        for (const image of below.get(to) ?? []) images.add(image);
      }
    }
    const sorted = [...images].sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const member of component) below.set(member, sorted);
  }
  return below;
}
