import type { KeyInputs } from '../resolve/index.ts';
import type { EarlierKeyInputs } from './changes.ts';

/** An image or a package of an earlier build, as far as its key goes. */
export interface EarlierBuild {
  readonly key: string;
  readonly inputs: EarlierKeyInputs;
  /** Where it was found, for people: `engine`, `destination`, or the name of a repository. */
  readonly where: string;
}

/** What earlier builds left: images in the engine, packages in the destination, images in registries. */
export interface EarlierBuilds {
  /** Builds of a package, of any version. */
  of(pack: Pick<KeyInputs, 'name' | 'category'>): Promise<readonly EarlierBuild[]>;
  /** The build with a key; undefined where nothing says what that key was made of. */
  withKey(key: string): Promise<EarlierBuild | undefined>;
  /** Whether an image of a key is there. */
  has(key: string): Promise<boolean>;
}

/** Several sources as one, asked in their order. */
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
