/**
 * Executes a resolved plan: finds existing images, runs the commands of missing ones, writes packages,
 * retries after failures of the engine, and cleans up. Example: `execute(plan, options)` runs each node as
 * soon as its parent's image exists, at most `concurrency` at the same time.
 *
 * Engine, image cache and package format are passed in; this room does not know which ones they are.
 */
export { type BuildOptions, build, execute } from './build.ts';
export {
  type PlanImage,
  type PlanImages,
  type PlanImagesOptions,
  planImages,
  resolveForBuild,
} from './images.ts';
export type { BuildResult, BuiltPackage, ExecuteOptions } from './types.ts';
