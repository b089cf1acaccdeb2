import type { KeyInputs } from '../resolve/index.ts';
import type { EarlierKeyInputs } from './changes.ts';

/** An image or package of an earlier build, with the inputs of its key. */
export interface EarlierBuild {
  readonly key: string;
  readonly inputs: EarlierKeyInputs;
  /** Where it was found, for messages: `engine`, `destination`, or the name of a repository. */
  readonly where: string;
}

/** The results of earlier builds: images in the engine, packages in the destination, images in registries. */
export interface EarlierBuilds {
  /** Builds of a package, in any version. */
  of(pack: Pick<KeyInputs, 'name' | 'category'>): Promise<readonly EarlierBuild[]>;
  /** The build with this key; undefined if the inputs of the key are unknown. */
  withKey(key: string): Promise<EarlierBuild | undefined>;
  /** Whether an image with this key exists. */
  has(key: string): Promise<boolean>;
}

/** Combines several sources, which are searched in order. */
export function allEarlier(sources: readonly EarlierBuilds[]): EarlierBuilds {
  return {
    async of(pack) {
      return (await Promise.all(sources.map((source) => source.of(pack)))).flat();
    },
    async withKey(key) {
      for (const source of sources) {
        const found = await source.withKey(key);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    async has(key) {
      for (const source of sources) if (await source.has(key)) return true;
      return false;
    },
  };
}
