/** Carries out a plan on an engine: one package, many at once; stops and cleans up. */
export { build } from './build.ts';
export { rootOf } from './cut.ts';
export type { FactsOptions } from './facts.ts';
export { type PlanImage, type PlanImages, planImages } from './images.ts';
export { labels } from './record.ts';
export type { BuildOptions, BuildResult, BuiltPackage } from './types.ts';
