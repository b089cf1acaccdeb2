import type { Plan } from '../plan/index.ts';

/** On which packages each package of a plan directly waits: its parent, what it copies from, what it retrieves. */
export function needsOf(plan: Plan): Readonly<Record<string, readonly string[]>> {
  const needs = new Map<string, Set<string>>();
  for (const { package: pack, parent, copies, retrieveAfter } of plan.nodes) {
    const of = needs.get(pack.key) ?? new Set<string>();
    needs.set(pack.key, of);
    if (parent.kind === 'node') of.add(parent.node.package.key);
    if (parent.kind === 'final') for (const { artifact } of parent.parts) of.add(artifact.package.key);
    for (const { from } of copies) if (from.kind === 'node') of.add(from.node.package.key);
    for (const { package: one } of retrieveAfter) of.add(one.key);
    // One package may be built on itself by several ways.
    of.delete(pack.key);
  }
  return Object.fromEntries([...needs].map(([key, of]) => [key, [...of]]));
}
