import type { Diagnostic } from '../diagnostic/index.ts';
import type { Plan, PlanNode } from '../plan/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { Facts, type FactsOptions } from './facts.ts';
import { PackageFailure } from './failure.ts';

/** The image of one package on one parent. */
export interface PlanImage {
  readonly package: TreePackage;
  /** The reference under which a build makes it or finds it; null where its key cannot be known. */
  readonly image: string | null;
}

/** The images of a plan, and why some cannot be named. */
export interface PlanImages {
  /** Each after what it is built on. */
  readonly images: readonly PlanImage[];
  readonly problems: readonly Diagnostic[];
}

/**
 * Names the images that a build of the plan makes, each by its content key, without making any. A package that does
 * nothing to its parent's image has that one. Rejects when it is aborted.
 */
export async function planImages(plan: Plan, options: FactsOptions): Promise<PlanImages> {
  // Nothing is built here: what `retrieve` looks for has to lie in the destination already.
  const facts = new Facts(
    plan,
    options,
    () => Promise.resolve(),
    ({ package: pack }) => Promise.reject(new Error(`a key asked for what only building ${pack.key} tells`)),
  );
  const failures = new Set<PackageFailure>();
  const images: PlanImage[] = [];
  try {
    for (const node of plan.nodes) {
      try {
        images.push({ package: node.package, image: await imageOf(node, facts, options.imageRepository) });
      } catch (error) {
        if (!(error instanceof PackageFailure)) throw error;
        failures.add(error);
        images.push({ package: node.package, image: null });
      }
    }
  } finally {
    await facts.close();
  }
  return { images, problems: [...failures].flatMap(({ diagnostics }) => diagnostics) };
}

async function imageOf(node: PlanNode, facts: Facts, repository: string): Promise<string> {
  if (!(await facts.passesThrough(node))) return `${repository}:${await facts.key(node)}`;
  const { parent, package: pack } = node;
  if (parent.kind === 'node') return imageOf(parent.node, facts, repository);
  if (parent.kind === 'image') return (await facts.image(parent.reference, pack)).reference;
  return `${repository}:${await facts.parentKey(parent, pack)}`;
}
