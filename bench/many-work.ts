import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The image that everything stands on; `npm test` and this benchmark load it. */
export const BASE = 'conformance/base:1';

/** One package: a prelude and a step of one line each, on the image of another or on the base. */
export interface Work {
  readonly name: string;
  readonly parent: string | undefined;
  readonly prelude: string;
  readonly step: string;
}

/** A seed, ten packages on it, and a chain of nine; what they do differs with the salt. */
export function twenty(salt: string): readonly Work[] {
  const leaves = Array.from({ length: 10 }, (_, at) => work(`leaf${at}`, 'seed', salt));
  const chain = Array.from({ length: 9 }, (_, at) =>
    work(`chain${at}`, at === 0 ? 'seed' : `chain${at - 1}`, salt),
  );
  return [work('seed', undefined, salt), ...leaves, ...chain];
}

/** A seed, nine packages on it, and ten on each of those. */
export function hundred(salt: string): readonly Work[] {
  const nine = Array.from({ length: 9 }, (_, at) => work(`branch${at}`, 'seed', salt));
  const leaves = nine.flatMap(({ name }, at) =>
    Array.from({ length: 10 }, (_, leaf) => work(`leaf${at}${leaf}`, name, salt)),
  );
  return [work('seed', undefined, salt), ...nine, ...leaves];
}

/** A seed, 99 packages on it, and nine or ten on each of those. */
export function thousand(salt: string): readonly Work[] {
  const branches = Array.from({ length: 99 }, (_, at) => work(`branch${at}`, 'seed', salt));
  const leaves = Array.from({ length: 900 }, (_, at) => work(`leaf${at}`, `branch${at % 99}`, salt));
  return [work('seed', undefined, salt), ...branches, ...leaves];
}

function work(name: string, parent: string | undefined, salt: string): Work {
  return {
    name,
    parent,
    prelude: `mkdir -p /work && echo ${salt} > /work/${name}`,
    step: `mkdir -p /out && echo ${salt} > /out/${name}`,
  };
}

/** Writes the packages as a tree. */
export function writeTree(folder: string, works: readonly Work[]): void {
  for (const { name, parent, prelude, step } of works) {
    const at = join(folder, name);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'definition.yaml'), `name: ${name}\ncategory: bench\nversion: "1"\n`);
    const stands =
      parent === undefined
        ? `image: ${BASE}\n`
        : `requires:\n- {name: ${parent}, category: bench, version: ">=0"}\n`;
    writeFileSync(join(at, 'build.yaml'), `${stands}prelude:\n- ${prelude}\nsteps:\n- ${step}\n`);
  }
}

/** Those that no other stands on. */
export function tops(works: readonly Work[]): readonly Work[] {
  const below = new Set(works.map(({ parent }) => parent));
  return works.filter(({ name }) => !below.has(name));
}

/**
 * The same work as one Dockerfile of a stage a package. The last stage needs all that no other stage needs, in the way that
 * costs least: mounted, not copied. `joined` runs a package's two commands as one, which no longer tells them apart.
 */
export function dockerfileOf(works: readonly Work[], joined: boolean): string {
  const stages = works.flatMap(({ name, parent, prelude, step }) => [
    `FROM ${parent ?? BASE} AS ${name}`,
    ...(joined ? [`RUN ${prelude} && ${step}`] : [`RUN ${prelude}`, `RUN ${step}`]),
  ]);
  const mounts = tops(works).map(({ name }) => `--mount=from=${name},target=/m/${name}`);
  return [...stages, `FROM ${BASE}`, `RUN ${mounts.join(' ')} true`, ''].join('\n');
}
