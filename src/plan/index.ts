/**
 * Decides what is built on what. `planBuild` solves each target, and combines the solutions to a graph of
 * nodes (one package on one parent image), in which equal nodes are shared. Example: if `apps/a` and `apps/b`
 * both require `libs/c`, then `libs/c` runs once, and both run on its image.
 *
 * This room also answers questions about relations: dependencies, cycles, explanations, pictures. It knows
 * neither content keys nor how commands are run.
 */
export { dependantsOf, dependenciesOf, type Related } from './dependants.ts';
export { type Explained, explainRequest, type RequestedBy, type SelectedPackage } from './explain.ts';
export { planBuild } from './graph.ts';
export { type PlannedPackage, plannedPackages } from './listing.ts';
export { isLocalImage, type LocalImage, locateImage } from './local-image.ts';
export {
  type Member,
  type Need,
  type NeedGraph,
  type NeedKind,
  Needs,
} from './needs.ts';
export { dotOf, mermaidOf, type NeedGraphResult, needGraph } from './picture.ts';
export type { Parent, Plan, PlanArtifact, PlanCopy, PlanNode, PlanOptions, PlanPart } from './types.ts';
export { type RelationOptions, runtimeCycles, validateRelations } from './validate.ts';
export { shortestWays, type Ways } from './ways.ts';
