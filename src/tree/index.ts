/** Every package of one or more trees: found, read, and looked up by name. */

export type { LoadOptions, Tree, TreePackage } from './types.ts';
