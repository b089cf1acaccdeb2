/**
 * Carries out a resolved plan: looks up which images there are, runs commands for those that are missing, writes packages,
 * retries what an engine failed, stops and cleans up. It does not know which engine, image cache or package format it has.
 */
export { type BuildOptions, build, execute } from './build.ts';
export { type PlanImage, type PlanImages, type PlanImagesOptions, planImages } from './images.ts';
export type { BuildResult, BuiltPackage, ExecuteOptions } from './types.ts';
