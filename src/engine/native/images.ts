import {
  countedImage,
  type Digest,
  type Image,
  measured,
  type ReadOptions,
  SplitRecorder,
} from '../../image/index.ts';
import type { ImageRecord } from '../../store/index.ts';
import { readTar } from '../../tar/index.ts';
import { LayerView } from '../overlay/layers.ts';
import type { ImageInfo, NamedImage, OpenedImages, PutOptions } from '../types.ts';
import { infoOf } from './listing.ts';
import { architecture } from './report.ts';
import { closeOpened, type EngineState, recordOf } from './state.ts';
import { opaqueName } from './workspace/stack.ts';
import { UpperTree } from './workspace/upper-tree.ts';
import { toPath } from './workspace/workspace.ts';
import { writeEntries } from './workspace/write-entries.ts';

/** Fetches an image that the store does not hold; undefined where there is none. */
export type Pull = (reference: string, signal?: AbortSignal) => Promise<Image | undefined>;

/**
 * Pulls an image into the store; only one of several runs that want it does. Undefined where it is not found.
 */
export async function pullImage(
  { store, images }: EngineState,
  pull: Pull,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<ImageRecord | undefined> {
  const release = await store.runs.claim(`pull ${reference}`, undefined, signal);
  try {
    const held = store.find(reference);
    if (held !== undefined) return held;
    const image = await pull(reference, signal);
    if (image === undefined) return undefined;
    await images.write(reference, image, signal === undefined ? {} : { signal });
    return store.find(reference);
  } finally {
    release();
  }
}

/** As `read` of the engine's contract. The layers of the images are held until they are closed. */
export function readImages(
  state: EngineState,
  references: readonly string[],
  { signal, onBytes }: ReadOptions,
): OpenedImages {
  const { store, images, now, opened } = state;
  signal?.throwIfAborted();
  const time = now();
  const layers = references.flatMap((name) => store.use(name, time)?.layers ?? []);
  const hold = store.holds.hold(layers.map(({ id }) => store.layers.layer(id).files));
  const held = { close: async () => hold.release() };
  opened.add(held);
  const image = async (name: string): Promise<Image | undefined> => {
    const found = references.includes(name) ? await images.image(name) : undefined;
    return found === undefined || onBytes === undefined ? found : countedImage(found, onBytes);
  };
  return { image, close: () => closeOpened(state, held) };
}

/** As `write` of the engine's contract. */
export async function writeImages(
  state: EngineState,
  given: readonly NamedImage[],
  options: PutOptions,
): Promise<void> {
  const { store, images, temporary } = state;
  for (const { name, image } of given) {
    await images.write(name, image, options);
    if (options.temporary !== true) continue;
    store.put(name, recordOf(state, name), true);
    temporary.add(name);
  }
}

/** As `importImage` of the engine's contract. */
export async function importImage(
  { store, images, now, temporary }: EngineState,
  reference: string,
  root: AsyncIterable<Uint8Array>,
  isTemporary: boolean,
): Promise<ImageInfo> {
  const layer = store.newLayer();
  const split = new SplitRecorder(store.freshPath('split'));
  try {
    let digest: Digest | undefined;
    const tree = new UpperTree(toPath(layer.files), new LayerView([]), opaqueName(store.form));
    const source = measured(root, (value) => (digest = value.digest));
    await writeEntries(tree, split.entries(readTar(split.watch(source))), split);
    if (await split.finish()) store.layers.keepSplit(layer.id, split.file);
    const configuration = {
      created: now().toISOString(),
      os: 'linux',
      architecture: architecture(),
      config: { Cmd: ['/bin/sh'], Labels: {} },
    };
    const layers = [{ id: layer.id, ...(digest === undefined ? {} : { diffId: digest }) }];
    const record = store.put(reference, { configuration, layers }, isTemporary);
    store.layers.finish(layer.id);
    if (isTemporary) temporary.add(reference);
    return await infoOf(images, reference, record);
  } catch (error) {
    await store.layers.drop(layer.id).catch(() => {});
    throw error;
  } finally {
    split.close();
  }
}
