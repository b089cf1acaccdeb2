import { readdir } from 'node:fs/promises';
import { readKeyInputs } from '../artifact/index.ts';
import { checkedInputs, decodeInputs, labels, lastInputs, TagLookup } from '../cache/index.ts';
import type { Engine, ListedImage } from '../engine/index.ts';
import { ImageError, type Registry } from '../image/index.ts';
import type { EarlierBuild, EarlierBuilds } from './earlier.ts';

/** The images of an engine under a repository. */
export async function engineBuilds(engine: Pick<Engine, 'list'>, repository: string): Promise<EarlierBuilds> {
  const held = await engine.list(repository);
  const buildOf = (key: string, image: ListedImage | undefined): EarlierBuild | undefined => {
    const inputs = decodeInputs(image?.labels[labels.inputs]);
    return inputs === undefined ? undefined : { key, inputs, where: 'the engine' };
  };
  return {
    of: async ({ category, name }) =>
      [...held]
        .filter(([, image]) => image.labels[labels.package]?.startsWith(`${category}/${name}-`))
        .flatMap(([key, image]) => buildOf(key, image) ?? [])
        // The name may only start with the same text.
        .filter(({ inputs }) => inputs.category === category && inputs.name === name),
    withKey: async (key) => buildOf(key, held.get(key)),
    has: async (key) => held.has(key),
  };
}

/** The packages in a destination, from their metadata. It contains no images. */
export async function destinationBuilds(folder: string): Promise<EarlierBuilds> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const suffix = '.metadata.yaml';
  const fingerprints = names
    .filter((name) => name.endsWith(suffix))
    .map((one) => one.slice(0, -suffix.length));
  return {
    async of({ category, name }) {
      const builds: EarlierBuild[] = [];
      for (const fingerprint of fingerprints.filter((one) => one.startsWith(`${name}-${category}-`))) {
        const found = await readKeyInputs(folder, fingerprint);
        const inputs = checkedInputs(found?.inputs);
        if (found === undefined || inputs?.category !== category || inputs.name !== name) continue;
        builds.push({ key: found.key, inputs, where: 'the destination' });
      }
      return builds;
    },
    withKey: async () => undefined,
    has: async () => false,
  };
}

/**
 * The images in a repository of a registry, with the artifacts that belong to them. If the registry does not
 * answer, it counts as empty; the search for images reports the error.
 */
export function registryBuilds(
  registry: Registry,
  repository: string,
  keys: readonly string[],
  signal: AbortSignal,
): EarlierBuilds {
  const lookup = new TagLookup(registry, repository, signal);
  const answer = async <T>(ask: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ImageError)) throw error;
      return otherwise;
    }
  };
  let first: Promise<ReadonlySet<string>> | undefined;
  return {
    async of(pack) {
      const found = await answer(() => lastInputs(registry, repository, pack, signal), undefined);
      const isIt = found?.inputs.category === pack.category && found.inputs.name === pack.name;
      return found !== undefined && isIt ? [{ ...found, where: repository }] : [];
    },
    async withKey(key) {
      const name = `${repository}:${key}`;
      const configuration = await answer(
        async () => (await registry.image(name, { signal }))?.configuration(),
        undefined,
      );
      const inputs = decodeInputs(configuration?.config?.Labels?.[labels.inputs]);
      return inputs === undefined ? undefined : { key, inputs, where: repository };
    },
    async has(key) {
      first ??= answer(() => lookup.find(keys), new Set<string>());
      await first;
      return await answer(async () => (await lookup.find([key])).has(key), false);
    },
  };
}
