import type { ResolvedNode, ResolvedPlan } from '../resolve/index.ts';

/**
 * For each package of a plan, the packages that it waits for directly: its parent, the packages it copies
 * from, and the packages it retrieves.
 */
export function needsOf({ nodes }: Pick<ResolvedPlan, 'nodes'>): Readonly<Record<string, readonly string[]>> {
  const needs = new Map<string, Set<string>>();
  for (const node of nodes) {
    const of = needs.get(node.package) ?? new Set<string>();
    needs.set(node.package, of);
    for (const name of [...packagesBelow(node, nodes), ...packagesRead(node)]) of.add(name);
    // A package can be built on itself in several ways.
    of.delete(node.package);
  }
  return Object.fromEntries([...needs].map(([key, of]) => [key, [...of]]));
}

/** The packages whose images a node waits for. */
function packagesBelow(
  node: Pick<ResolvedNode, 'parent' | 'copies'>,
  nodes: readonly ResolvedNode[],
): string[] {
  return nodesBelow(node).flatMap((id) => nodes[id]?.package ?? []);
}

/** The nodes whose images a node waits for. */
export function nodesBelow({ parent, copies }: Pick<ResolvedNode, 'parent' | 'copies'>): number[] {
  return [
    ...(parent.kind === 'node' ? [parent.node] : []),
    ...copies.flatMap(({ from }) => (from.kind === 'node' ? [from.node] : [])),
  ];
}

/** The packages whose written files a node waits for. */
export function packagesRead({
  parent,
  retrieveAfter,
}: Pick<ResolvedNode, 'parent' | 'retrieveAfter'>): string[] {
  return [...(parent.kind === 'final' ? parent.parts.map(({ artifact }) => artifact) : []), ...retrieveAfter];
}
