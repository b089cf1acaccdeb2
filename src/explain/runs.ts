import type { PlanIndex, ResolvedNode } from '../resolve/index.ts';

/** What exists before a build. */
export interface Surroundings {
  /** Whether a node's image exists. */
  readonly isCached: (key: string) => boolean;
  /**
   * Whether the packages of an artifact (given by its package's key) are in the destination, exactly as they
   * would be written.
   */
  readonly isUnchanged: (pack: string) => boolean;
  /** Whether requested packages run again in any case. */
  readonly rebuild: boolean;
}

/** A node's content key, if it is known. */
export const keyOf = ({ identity }: ResolvedNode): string | undefined =>
  identity.state === 'known' ? identity.key : undefined;

/**
 * The nodes whose commands a build runs. It makes the same decisions as the executor, without running
 * anything.
 */
export function nodesToRun(
  index: PlanIndex,
  { isCached, isUnchanged, rebuild }: Surroundings,
): ReadonlySet<number> {
  const runs = new Set<number>();
  const asked = new Set<number>();
  const needImage = (id: number): void => {
    if (asked.has(id)) return;
    asked.add(id);
    const node = index.node(id);
    const isForced = rebuild && (index.artifactOfNode(id)?.asked ?? false);
    const key = keyOf(node);
    if (!node.passesThrough && !isForced && key !== undefined && isCached(key)) return;
    if (node.identity.state === 'failed') return;
    if (!node.passesThrough) runs.add(id);
    if (node.parent.kind === 'node') needImage(node.parent.node);
    if (node.parent.kind === 'final') for (const { artifact } of node.parent.parts) needPackage(artifact);
    for (const name of node.retrieveAfter) needPackage(name);
    for (const { from } of node.copies) if (from.kind === 'node') needImage(from.node);
  };
  const needPackage = (name: string): void => {
    const artifact = index.artifact(name);
    if (artifact.node === undefined) return;
    const isForced = rebuild && artifact.asked;
    if (!isForced && isUnchanged(name)) return;
    needImage(artifact.node);
  };
  for (const artifact of index.plan.artifacts) if (artifact.wanted) needPackage(artifact.package);
  return runs;
}
