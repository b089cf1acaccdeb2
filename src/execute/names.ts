import type { ExecuteOptions } from './types.ts';

/** Name of an image of this run: by its key if it is kept, by the run's id if it is removed at the end. */
export function imageName(
  key: string,
  { imageRepository, keepImages, runId }: Pick<ExecuteOptions, 'imageRepository' | 'keepImages' | 'runId'>,
): string {
  return `${imageRepository}:${keepImages ? key : `tmp-${runId}-${key.slice(0, 16)}`}`;
}
