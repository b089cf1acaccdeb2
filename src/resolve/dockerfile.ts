import { readFile } from 'node:fs/promises';

/**
 * The images from outside that a Dockerfile's `FROM` lines name: no earlier stages, not `scratch`, and none whose name
 * depends on a build argument.
 */
export async function dockerfileBases(dockerfile: string): Promise<string[]> {
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
