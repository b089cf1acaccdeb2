import { readFile } from 'node:fs/promises';
import { expandEnvironment } from '../spec/index.ts';

/** The images that a Dockerfile uses. */
export interface DockerfileBases {
  /**
   * The external images in its `FROM` lines: no earlier stages, not `scratch`, and no image whose name
   * depends on a build argument without default.
   */
  readonly images: readonly string[];
  /** The base image of its last stage. Undefined for `scratch`, or if it is not known. */
  readonly last?: string;
}

/** Reads the `FROM` lines of a Dockerfile. */
export async function dockerfileBases(dockerfile: string): Promise<DockerfileBases> {
  const defaults = new Map<string, string>();
  /** The base image of each stage, by the stage's name in lower case. */
  const stages = new Map<string, string | undefined>();
  const images = new Set<string>();
  let last: string | undefined;
  let isBefore = true;
  for (const line of (await readFile(dockerfile, 'utf8')).split('\n')) {
    const [, argument] = /^\s*ARG\s+(\S+=.*)$/i.exec(line) ?? [];
    if (isBefore && argument !== undefined) {
      const expanded = expandEnvironment(argument, defaults);
      for (const [name, value] of expanded.ok ? expanded.pairs : []) defaults.set(name, value);
    }
    const [, named, stage] = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line) ?? [];
    if (named === undefined) continue;
    isBefore = false;
    const expanded = expandEnvironment(`x=${named}`, defaults);
    const image = expanded.ok ? (expanded.pairs[0]?.[1] ?? '') : '';
    const known = stages.has(image.toLowerCase());
    last = known ? stages.get(image.toLowerCase()) : image === 'scratch' || image === '' ? undefined : image;
    if (last !== undefined) images.add(last);
    if (stage !== undefined) stages.set(stage.toLowerCase(), last);
  }
  return { images: [...images], ...(last === undefined ? {} : { last }) };
}
