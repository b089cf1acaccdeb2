/** Carries out a plan on an engine: one package, many at once; stops and cleans up. */
export { build } from './build.ts';
export type { BuildOptions, BuildResult, BuiltPackage } from './types.ts';
