import type { Digest } from '../../image/index.ts';
import type { ImageRecord, Store, StoreImages } from '../../store/index.ts';
import type { HeldImage, ImageInfo, ListedImage } from '../types.ts';

/** An image of the store, as the engine's contract describes it. */
export async function infoOf(
  images: StoreImages,
  reference: string,
  record: ImageRecord,
): Promise<ImageInfo> {
  const { configuration: it, layers } = record;
  const diffIds: Digest[] = [];
  for (const layer of layers) diffIds.push(layer.diffId ?? (await images.diffId(layer)));
  return {
    reference,
    layers: diffIds,
    config: {
      env: it.config?.Env ?? [],
      os: it.os,
      architecture: it.architecture,
      variant: it.variant ?? '',
    },
    created: secondsOf(it.created),
    labels: it.config?.Labels ?? {},
  };
}

/** As `list` of the engine's contract. */
export function listed(store: Store, repository: string, only?: string): ReadonlyMap<string, ListedImage> {
  const found = new Map<string, ListedImage>();
  if (only !== undefined) {
    const record = store.find(`${repository}:${only}`);
    if (record !== undefined)
      found.set(only, { tag: only, labels: record.configuration.config?.Labels ?? {} });
    return found;
  }
  for (const [tag, { configuration }] of store.records.list(repository))
    found.set(tag, { tag, labels: configuration.config?.Labels ?? {} });
  return found;
}

/** As `listAll` of the engine's contract. */
export function listedAll(store: Store): readonly HeldImage[] {
  const { records } = store;
  return records.repositories().flatMap((repository) =>
    [...records.list(repository)].map(([tag, { configuration }]) => ({
      names: [tag.includes(':') ? `${repository}@${tag}` : `${repository}:${tag}`],
      created: secondsOf(configuration.created),
    })),
  );
}

/** Seconds since 1970; 0 where there is no valid time. */
function secondsOf(time: string | undefined): number {
  const milliseconds = Date.parse(time ?? '');
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}
