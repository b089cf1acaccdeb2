import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import type { Environment } from './environment.ts';

/** What work needs to know of the world around it. */
export interface Surroundings {
  readonly env: Environment;
  /** Absolute path of the user's home folder. */
  readonly home: string;
  readonly now: () => Date;
  /** Random lower-case hexadecimal name of this run, for labels and for files of its own. */
  readonly runId: string;
}

/** The surroundings of this process. */
export const ownSurroundings = (): Surroundings => ({
  env: process.env,
  home: homedir(),
  now: () => new Date(),
  runId: randomBytes(8).toString('hex'),
});
