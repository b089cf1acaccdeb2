import type { ResolvedPlan } from '../resolve/index.ts';
import { nodesBelow, packagesRead } from './needs.ts';

/** The longest path from the beginning of a piece of work to the end of everything that waits for it, in milliseconds. */
export interface RemainingPaths {
  /** Of running a node: its own duration and the longest path behind its image or its archive. */
  run(node: number): number;
  /** Of cutting a node's package from an image that is there: the longest path behind its archive. */
  cut(node: number): number;
}

/**
 * The longest remaining paths of a plan. `durations` says what packages took before, in milliseconds, by
 * `category/name-version`; one that is not known counts as the mean of those that are, and as 1 where none is.
 */
export function remainingPaths(
  { nodes, artifacts }: Pick<ResolvedPlan, 'nodes' | 'artifacts'>,
  durations: ReadonlyMap<string, number>,
): RemainingPaths {
  const known = nodes.flatMap((node) => durations.get(node.package) ?? []);
  const usual = known.length === 0 ? 1 : known.reduce((sum, one) => sum + one, 0) / known.length;
  const nodeOf = new Map(artifacts.map((artifact) => [artifact.package, artifact.node]));
  // Of the nodes that wait for a node's image, and for its archive, the longest remaining path.
  const behindImage: number[] = nodes.map(() => 0);
  const behindArchive: number[] = nodes.map(() => 0);
  const run: number[] = nodes.map(() => usual);
  const raise = (paths: number[], node: number | undefined, to: number): void => {
    if (node !== undefined) paths[node] = Math.max(to, paths[node] ?? 0);
  };
  // A node that waits comes after the node that it waits for.
  for (const node of nodes.toReversed()) {
    const own = durations.get(node.package) ?? usual;
    const path = own + Math.max(behindImage[node.id] ?? 0, behindArchive[node.id] ?? 0);
    run[node.id] = path;
    for (const id of nodesBelow(node)) raise(behindImage, id, path);
    for (const name of packagesRead(node)) raise(behindArchive, nodeOf.get(name), path);
  }
  return { run: (node) => run[node] ?? usual, cut: (node) => behindArchive[node] ?? 0 };
}
