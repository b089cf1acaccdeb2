import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Layers that are in use. */
export interface Hold {
  /** The names of the links to them, in the given order. */
  readonly names: readonly string[];
  /** Ends the use. Must be called once. */
  release(): void;
}

/**
 * The layers that a run uses, so that nobody removes them: other runs see a link to each in the run's folder,
 * and the run itself counts its uses. A link stays until the run ends, because many workspaces have the same
 * layers. Names of links are short, because the kernel takes at most one page of options for a mount.
 */
export class Holds {
  readonly #fresh: () => string;
  readonly #links = new Map<string, { readonly name: string; count: number }>();
  #folder: string | undefined;

  /** `fresh` returns the path of a folder to create. */
  constructor(fresh: () => string) {
    this.#fresh = fresh;
  }

  /** The folder with the links. */
  get folder(): string {
    if (this.#folder === undefined) {
      this.#folder = this.#fresh();
      mkdirSync(this.#folder, { mode: 0o700 });
    }
    return this.#folder;
  }

  /** Holds these folders, of layers or others. */
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

  /** The folders that are in use now. */
  held(): string[] {
    return [...this.#links].flatMap(([folder, { count }]) => (count > 0 ? [folder] : []));
  }
}
