/** The library: everything that the commands can do, with the same names and no terminal. */

export * from './artifact/index.ts';
export * from './delta/index.ts';
export * from './diagnostic/index.ts';
export * from './engine/index.ts';
// Names that two rooms use.
export type { Outcome } from './events/index.ts';
export * from './events/index.ts';
export * from './execute/index.ts';
export * from './plan/index.ts';
export * from './resolve/index.ts';
export type { Outcome as SolverOutcome } from './solver/index.ts';
export * from './solver/index.ts';
export type { Origin } from './spec/index.ts';
export * from './spec/index.ts';
export * from './tar/index.ts';
export type { Origin as TemplateOrigin } from './template/index.ts';
export * from './template/index.ts';
export * from './tree/index.ts';
export * from './version/index.ts';
