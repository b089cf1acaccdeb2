import { readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { prefixOf } from './layers.ts';
import { formatName, fromFileName, parseName } from './names.ts';
import { namesIn } from './records.ts';
import type { Store } from './store.ts';

/** A layer, and which images have it. */
export interface LayerUse {
  readonly id: string;
  /** The images that have it, by name; none of a layer that is only left over. */
  readonly images: readonly string[];
}

/** All layers of a store, and the images that have them. */
export function layerUses({ folder, records }: Store): LayerUse[] {
  const images = new Map<string, string[]>(namesIn(join(folder, 'layers')).map((id) => [id, []]));
  for (const repository of records.repositories())
    for (const [tag, { layers }] of records.list(repository))
      for (const id of new Set(layers.map((layer) => layer.id)))
        images.get(id)?.push(formatName({ repository, tag }));
  return [...images].map(([id, named]) => ({ id, images: named }));
}

/** Removes layers that no image has, no run is making and no run has a workspace on. */
export async function collectLayers(store: Store): Promise<void> {
  // Asked before images are looked at: a run writes its record before it removes its link.
  const isInUse = layersInUse(store);
  for (const { id, images } of layerUses(store))
    if (images.length === 0 && !isInUse(id)) await store.layers.removeFolder(store.layers.folder(id));
}

/**
 * Which layers stay although no image has them: those that a run is making or has a workspace on. `over` are
 * runs that count as ended, by the names of their folders.
 */
export function layersInUse(store: Store, over: ReadonlySet<string> = new Set()): (id: string) => boolean {
  const { runs, layers, holds } = store;
  const running = runs.folders().filter((run) => !over.has(run));
  const own = basename(runs.ownFolder);
  const folders = running.flatMap((run) => (run === own ? holds.held() : linkedBy(store.folder, run)));
  const linked = new Set(folders.flatMap((folder) => /\/layers\/([^/]+)\/files$/.exec(folder)?.[1] ?? []));
  // A copy: a layer that gets its image while others are removed had none when images were looked at.
  const unfinished = new Set(layers.unfinished);
  const prefixes = new Set(running.map((run) => prefixOf(fromFileName(run))));
  return (id) =>
    linked.has(id) || (layers.isOwn(id) ? unfinished.has(id) : prefixes.has(id.slice(0, id.indexOf('-'))));
}

/** The folders of layers that another run works on: the targets of its links. */
function linkedBy(store: string, run: string): string[] {
  const targets: string[] = [];
  const folder = join(store, 'runs', run);
  for (const links of namesIn(folder).filter((name) => name.startsWith('w'))) {
    for (const link of namesIn(join(folder, links))) {
      try {
        targets.push(readlinkSync(join(folder, links, link)));
      } catch {
        // Not a link, or removed in the meantime.
      }
    }
  }
  return targets;
}

/** What dead runs left behind: the names of their folders, and of their temporary images. */
export function leftBehind({ runs, records }: Store): {
  readonly runs: readonly string[];
  readonly images: readonly string[];
} {
  const over = runs.folders().filter((run) => runs.isOver(fromFileName(run)));
  const images: string[] = [];
  // Where no run died there is no such image either: a run that ends normally removes its own.
  for (const repository of over.length === 0 ? [] : records.repositories())
    for (const [tag, { temporary, run }] of records.list(repository))
      if (temporary && runs.isOver(run)) images.push(formatName({ repository, tag }));
  return { runs: over, images };
}

/** Removes what dead runs left behind. `endRun` is called with the folder of each before that goes. */
export async function sweepStore(
  store: Store,
  endRun: (folder: string) => Promise<void> = async () => {},
): Promise<void> {
  const { runs: over, images } = leftBehind(store);
  if (over.length === 0) return;
  for (const name of images) store.records.delete(parseName(name));
  for (const run of over) {
    const folder = join(store.folder, 'runs', run);
    await endRun(folder);
    await store.layers.removeFolder(folder);
  }
  await collectLayers(store);
}
