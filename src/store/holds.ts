import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Layers that something works on. */
export interface Hold {
  /** The layers' names in the folder of links, in the order in which they were given. */
  readonly names: readonly string[];
  /** Says that it does not any more; once. */
  release(): void;
}

/**
 * The layers that a run works on, which keeps them from being removed: by others for as long as there is a link to them in the run's folder, and by the
 * run itself for as long as it holds them. A link stays until the run ends, because many workspaces have the same layers. Its name is short: the
 * kernel takes one page of options for a mount.
 */
export class Holds {
  readonly #fresh: () => string;
  readonly #links = new Map<string, { readonly name: string; count: number }>();
  #folder: string | undefined;

  /** `fresh` gives the path of a folder to be made in the run's. */
  constructor(fresh: () => string) {
    this.#fresh = fresh;
  }

  /** The folder that the links are in. */
  get folder(): string {
    if (this.#folder === undefined) {
      this.#folder = this.#fresh();
      mkdirSync(this.#folder, { mode: 0o700 });
    }
    return this.#folder;
  }

  /** Holds folders, layers' and others. */
  hold(folders: readonly string[]): Hold {
    const links = folders.map((folder) => this.#link(folder));
    for (const link of links) link.count++;
    return {
      names: links.map(({ name }) => name),
      release: () => {
        for (const link of links) link.count--;
      },
    };
  }

  #link(folder: string): { readonly name: string; count: number } {
    const known = this.#links.get(folder);
    if (known !== undefined) return known;
    const link = { name: this.#links.size.toString(36), count: 0 };
    symlinkSync(folder, join(this.folder, link.name));
    this.#links.set(folder, link);
    return link;
  }

  /** The folders that are held now. */
  held(): string[] {
    return [...this.#links].flatMap(([folder, { count }]) => (count > 0 ? [folder] : []));
  }
}
