import type { ResolvedPlan } from '../resolve/index.ts';
import { nodesBelow, packagesRead } from './needs.ts';

/**
 * The longest path from the start of some work to the end of everything that waits for it, in milliseconds.
 */
export interface RemainingPaths {
  /** For running a node: its own duration plus the longest path after its image or its archive. */
  run(node: number): number;
  /** For cutting a node's package from an existing image: the longest path after its archive. */
  cut(node: number): number;
}

/**
 * Computes the longest remaining paths of a plan. `durations` are the milliseconds that packages took in
 * earlier builds, by `category/name-version`. An unknown package counts as the average of the known ones, or
 * as 1 if there are none.
 */
export function remainingPaths(
  { nodes, artifacts }: Pick<ResolvedPlan, 'nodes' | 'artifacts'>,
  durations: ReadonlyMap<string, number>,
): RemainingPaths {
  const known = nodes.flatMap((node) => durations.get(node.package) ?? []);
  const usual = known.length === 0 ? 1 : known.reduce((sum, one) => sum + one, 0) / known.length;
  const nodeOf = new Map(artifacts.map((artifact) => [artifact.package, artifact.node]));
  // For each node, the longest remaining path of the nodes that wait for its image, or for its archive.
  const behindImage: number[] = nodes.map(() => 0);
  const behindArchive: number[] = nodes.map(() => 0);
  const run: number[] = nodes.map(() => usual);
  const raise = (paths: number[], node: number | undefined, to: number): void => {
    if (node !== undefined) paths[node] = Math.max(to, paths[node] ?? 0);
  };
  // Nodes come after the nodes that they wait for.
  for (const node of nodes.toReversed()) {
    const own = durations.get(node.package) ?? usual;
    const path = own + Math.max(behindImage[node.id] ?? 0, behindArchive[node.id] ?? 0);
    run[node.id] = path;
    for (const id of nodesBelow(node)) raise(behindImage, id, path);
    for (const name of packagesRead(node)) raise(behindArchive, nodeOf.get(name), path);
  }
  return { run: (node) => run[node] ?? usual, cut: (node) => behindArchive[node] ?? 0 };
}
