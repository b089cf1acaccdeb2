import type { ExecuteOptions } from './types.ts';

/** The name that an image of this run gets: by its key where it is kept, by this run's id where it goes with the run. */
export function imageName(
  key: string,
  { imageRepository, keepImages, runId }: Pick<ExecuteOptions, 'imageRepository' | 'keepImages' | 'runId'>,
): string {
  return `${imageRepository}:${keepImages ? key : `tmp-${runId}-${key.slice(0, 16)}`}`;
}
