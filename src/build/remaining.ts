import type { Plan, PlanNode } from '../plan/index.ts';

/** How long the longest way is from the beginning of a piece of work to the end of everything that waits for it. */
export interface Remaining {
  /** Of running a node: its own duration and the longest way behind its image or its archive. */
  run(node: PlanNode): number;
  /** Of cutting a node's package from an image that is there: the longest way behind its archive. */
  cut(node: PlanNode): number;
}

/**
 * The longest remaining paths of a plan, in milliseconds. `durations` says what packages took before, by
 * `category/name-version`; one that is not known counts as the mean of those that are, and as 1 where none is.
 */
export function remainingPaths(plan: Plan, durations: ReadonlyMap<string, number>): Remaining {
  const known = plan.nodes.flatMap(({ package: { key } }) => durations.get(key) ?? []);
  const usual = known.length === 0 ? 1 : known.reduce((sum, one) => sum + one, 0) / known.length;
  // Of the nodes that wait for a node's image, and for its archive, the longest remaining path.
  const behindImage = new Map<PlanNode, number>();
  const behindArchive = new Map<PlanNode, number>();
  const run = new Map<PlanNode, number>();
  const raise = (paths: Map<PlanNode, number>, node: PlanNode | undefined, to: number): void => {
    if (node !== undefined) paths.set(node, Math.max(to, paths.get(node) ?? 0));
  };
  // What waits comes after what it waits for.
  for (const node of plan.nodes.toReversed()) {
    const own = durations.get(node.package.key) ?? usual;
    const path = own + Math.max(behindImage.get(node) ?? 0, behindArchive.get(node) ?? 0);
    run.set(node, path);
    const { parent, copies, retrieveAfter } = node;
    if (parent.kind === 'node') raise(behindImage, parent.node, path);
    if (parent.kind === 'final')
      for (const { artifact } of parent.parts) raise(behindArchive, artifact.node, path);
    for (const { from } of copies) if (from.kind === 'node') raise(behindImage, from.node, path);
    for (const artifact of retrieveAfter) raise(behindArchive, artifact.node, path);
  }
  return {
    run: (node) => run.get(node) ?? usual,
    cut: (node) => behindArchive.get(node) ?? 0,
  };
}
