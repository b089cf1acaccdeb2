/**
 * Explains what a build would do, and why, before anything runs: which packages are already built, which must
 * be built, what changed in them since the most similar earlier build, and which are built only because of
 * others. Example: `apps/hello-1.0` is built because `steps` changed; `apps/greeter-1.0` follows it.
 *
 * Nothing here runs commands or fetches images. Results of earlier builds are read through `EarlierBuilds`.
 */
export type { KeyChange } from './changes.ts';
export { allEarlier, type EarlierBuild, type EarlierBuilds } from './earlier.ts';
export { type ExplainedPackage, explainPlan, type Reason } from './explain.ts';
export { destinationBuilds, engineBuilds, registryBuilds } from './sources.ts';
