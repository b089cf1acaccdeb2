import type { Candidate, Solution, Universe } from '../solver/index.ts';

/** One requirement of a candidate, and the candidate that solving tries first for it. */
export interface Edge {
  readonly from: Candidate;
  readonly to: Candidate;
  /** Which of the requirements of `from` it is. */
  readonly index: number;
}

/**
 * The candidates that solving tries first for what a candidate requires: providers before the name itself, the
 * newest version that fits. Requirements that nothing satisfies, or that it satisfies itself by what it
 * provides, have no edge.
 */
export function preferred(universe: Universe, from: Candidate): readonly Edge[] {
  const edges: Edge[] = [];
  for (const [index, requirement] of from.requires.entries()) {
    if (requirement.name !== from.name && universe.satisfies(from, requirement)) continue;
    const group = universe.options(requirement).groups[0];
    const to = group?.family.members[group.spans.at(-1)?.[1] ?? -1];
    if (to !== undefined) edges.push({ from, to, index });
  }
  return edges;
}

/**
 * What solving a candidate alone gives, where that is plain: nothing but first choices, of which no two exclude each
 * other and for which nothing can stand in. Undefined where only solving can tell.
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

/** Candidates that are in a cycle, or need one that is. */
export function needingCycles(
  candidates: readonly Candidate[],
  edgesOf: (candidate: Candidate) => readonly Edge[],
): ReadonlySet<Candidate> {
  const found = new Set<Candidate>();
  // Components come with what they need before them.
  for (const component of components(candidates, edgesOf)) {
    const needs = component.some((member) =>
      edgesOf(member).some(({ to }) => to === member || found.has(to)),
    );
    if (component.length > 1 || needs) for (const member of component) found.add(member);
  }
  return found;
}

/** The edges of one solution: what each of its candidates requires, and what was chosen for it. */
export function solvedEdges({ edges }: Pick<Solution, 'edges'>): (from: Candidate) => readonly Edge[] {
  const found = new Map<Candidate, Edge[]>();
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
 * The cycles of a graph, one for each set of candidates that all need each other: a shortest one, beginning with
 * the candidate that comes first. (Tarjan's strongly connected components, without recursion.)
 */
export function cycles(
  candidates: readonly Candidate[],
  edgesOf: (candidate: Candidate) => readonly Edge[],
): readonly (readonly Edge[])[] {
  const found: (readonly Edge[])[] = [];
  for (const component of components(candidates, edgesOf)) {
    const inside = new Set(component);
    const first = component.reduce((a, b) => (a.id < b.id ? a : b));
    const circle = shortestCycle(first, (at) => edgesOf(at).filter(({ to }) => inside.has(to)));
    if (circle !== undefined) found.push(circle);
  }
  return found;
}

interface Frame {
  readonly candidate: Candidate;
  readonly edges: readonly Edge[];
  next: number;
}

function* components(
  candidates: readonly Candidate[],
  edgesOf: (candidate: Candidate) => readonly Edge[],
): Generator<readonly Candidate[]> {
  const index = new Map<Candidate, number>();
  const low = new Map<Candidate, number>();
  const open: Candidate[] = [];
  const isOpen = new Set<Candidate>();
  const lower = (candidate: Candidate, to: number): void => {
    low.set(candidate, Math.min(low.get(candidate) ?? to, to));
  };
  const enter = (candidate: Candidate): Frame => {
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

/** A shortest way from a candidate back to itself (breadth first), or undefined where there is none. */
function shortestCycle(
  start: Candidate,
  edgesOf: (candidate: Candidate) => readonly Edge[],
): readonly Edge[] | undefined {
  const reachedBy = new Map<Candidate, Edge>();
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

function wayTo(last: Edge, start: Candidate, reachedBy: ReadonlyMap<Candidate, Edge>): readonly Edge[] {
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
 * For each candidate, those with an image of their own among all that it needs, sorted by id; candidates in
 * cycles count what is found before the cycle closes.
 */
export function imagesBelow(
  candidates: readonly Candidate[],
  edgesOf: (candidate: Candidate) => readonly Edge[],
  hasImage: (candidate: Candidate) => boolean,
): ReadonlyMap<Candidate, readonly Candidate[]> {
  const below = new Map<Candidate, readonly Candidate[]>();
  // Components come with what they need before them.
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
