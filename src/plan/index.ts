/**
 * From a solution to the build graph: what is built on what. It knows nothing of content keys and of how anything is run.
 */
export { dependantsOf, dependenciesOf, type Related } from './dependants.ts';
export { type Chosen, type Explained, explainRequest, type Reason } from './explain.ts';
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
