/**
 * Says what a build would do, and why, before anything runs: which packages are there already, which have to be built, what changed
 * since the nearest earlier build that was found, and which packages only follow others. Nothing here runs or fetches anything; what
 * earlier builds left is read through `EarlierBuilds`.
 */
export type { KeyChange } from './changes.ts';
export { allEarlier, type EarlierBuild, type EarlierBuilds } from './earlier.ts';
export { type ExplainedPackage, explainPlan, type Reason } from './explain.ts';
export { destinationBuilds, engineBuilds, registryBuilds } from './sources.ts';
