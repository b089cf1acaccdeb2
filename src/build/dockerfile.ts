import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ImageInfo } from '../engine/index.ts';
import { baseKey } from '../plan/index.ts';
import type { Context } from './context.ts';

/**
 * The images from outside that a Dockerfile's `FROM` lines name: no earlier stages, not `scratch`, and none whose name
 * depends on a build argument.
 */
export async function basesOf(dockerfile: string): Promise<string[]> {
  const stages = new Set<string>();
  const bases = new Set<string>();
  for (const line of (await readFile(dockerfile, 'utf8')).split('\n')) {
    const match = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line);
    const [, image, stage] = match ?? [];
    if (
      image !== undefined &&
      image !== 'scratch' &&
      !image.includes('$') &&
      !stages.has(image.toLowerCase())
    )
      bases.add(image);
    if (stage !== undefined) stages.add(stage.toLowerCase());
  }
  return [...bases];
}

/** The key of an image that a Dockerfile makes: its context, itself included, and the images that it begins with. */
export function dockerfileKey(context: Context, bases: readonly ImageInfo[]): string {
  return createHash('sha256')
    .update(JSON.stringify({ kind: 'dockerfile', context: context.hash, bases: bases.map(baseKey) }))
    .digest('hex');
}
