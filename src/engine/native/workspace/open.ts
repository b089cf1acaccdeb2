import { basename, join } from 'node:path';
import type { ImageRecord, RecordLayer } from '../../../store/index.ts';
import type { BytePath, EntrySource } from '../../../tar/index.ts';
import { UpperSource } from '../../overlay/upper.ts';
import { overriding } from '../../overriding.ts';
import { decodeMade, MADE_LABEL } from '../../runtime.ts';
import type { Reader, Workspace, WorkspaceOptions } from '../../types.ts';
import { CopyWorkspace } from '../copy/workspace.ts';
import type { Way } from '../find/probe.ts';
import { GROUP_LIST, type Group, makeGroup } from '../groups/groups.ts';
import { closeOpened, type EngineState, missingImage, onStore, recordOf } from '../state.ts';
import { emptyFolder, type FlatImages } from './flat.ts';
import { OverlayWorkspace, type RunContext } from './overlay.ts';
import type { NativeWorkspace } from './workspace.ts';

/** What opening workspaces needs, besides the engine's state. */
export interface Opening {
  readonly context: RunContext;
  readonly flat: FlatImages;
  readonly way: Way;
}

/** As `open` of the engine's contract, on the image of a record. */
export async function openWorkspace(
  state: EngineState,
  { context, flat, way }: Opening,
  record: ImageRecord,
  options: WorkspaceOptions,
): Promise<Workspace> {
  const { folder } = state.store;
  const layers = await flat.startable(record.layers, way);
  const inner = await openOn(state, context, way, layers, options, madeIn(record));
  state.opened.add(inner);
  return overriding(inner, {
    upload: (entries: EntrySource) => onStore(folder, () => inner.upload(entries)),
    run: (...given: Parameters<Workspace['run']>) => onStore(folder, () => inner.run(...given)),
    commit: (reference: string, labels: Readonly<Record<string, string>>, temporary = false) => {
      const configuration = committed(record, options.environment, labels, state.now());
      const below = inner.isWhole ? [] : layers;
      return onStore(folder, () =>
        commit(state, inner, { configuration, layers: below }, reference, temporary),
      );
    },
    close: () => closeOpened(state, inner),
  });
}

async function openOn(
  { store }: EngineState,
  context: RunContext,
  way: Way,
  layers: readonly RecordLayer[],
  options: WorkspaceOptions,
  known: ReadonlySet<BytePath>,
): Promise<NativeWorkspace> {
  const group = groupOf(store, options);
  try {
    const folders = store.layers.lowersOf(layers);
    if (way.kind === 'overlay') return new OverlayWorkspace(context, folders, options, way, group, known);
    return await CopyWorkspace.open(context, folders[0], options, way, group, known);
  } catch (error) {
    await group?.remove();
    const { code } = error as NodeJS.ErrnoException;
    // Another run removed the image in the meantime.
    if (code === 'ENOENT' && store.find(options.image) === undefined) throw missingImage(options.image);
    throw error;
  }
}

/** The control groups of a workspace, named after this run. */
function groupOf(store: EngineState['store'], options: WorkspaceOptions): Group | undefined {
  const run = store.runs.folder();
  const name = `${basename(run)}-${basename(store.freshPath('group'))}`;
  return makeGroup(options, name, join(run, GROUP_LIST));
}

/**
 * Makes an image of a workspace's layer over others. The layer is complete before the image's record is
 * written, and the record is renamed into place: if this process dies in between, there is no image, and the
 * next run removes the layer.
 */
async function commit(
  { store, temporary }: EngineState,
  inner: NativeWorkspace,
  { configuration, layers }: Pick<ImageRecord, 'configuration' | 'layers'>,
  reference: string,
  isTemporary: boolean,
): Promise<void> {
  const { id } = inner.layer;
  await inner.keep();
  try {
    store.put(reference, { configuration, layers: [...layers, { id }] }, isTemporary);
  } catch (error) {
    // The workspace keeps the layer, and no image has it. Where the disk is full, this makes room.
    await store.layers.drop(id);
    throw error;
  }
  // After the record: a layer that is finished and has no image may be removed by others.
  store.layers.finish(id);
  if (isTemporary) temporary.add(reference);
}

/** As `openForReading` of the engine's contract. */
export async function openReader(
  state: EngineState,
  { folders }: Pick<RunContext, 'folders'>,
  image: string,
): Promise<Reader> {
  const { store } = state;
  const record = recordOf(state, image);
  const lowers = store.layers.lowersOf(record.layers);
  const upper = emptyFolder(store);
  const hold = store.holds.hold(lowers);
  const source = new UpperSource({ upper, lowers }, '', { fixed: folders, known: madeIn(record) });
  const held = { close: async () => hold.release() };
  state.opened.add(held);
  return overriding(source, { close: () => closeOpened(state, held) });
}

/** What other engines made in containers and committed with an image. */
const madeIn = ({ configuration }: ImageRecord): ReadonlySet<BytePath> =>
  decodeMade(configuration.config?.Labels?.[MADE_LABEL]);

/** The configuration of an image that is made of a workspace. */
function committed(
  { configuration }: ImageRecord,
  environment: ReadonlyMap<string, string>,
  labels: Readonly<Record<string, string>>,
  now: Date,
): ImageRecord['configuration'] {
  const Env = [...environment].map(([name, value]) => `${name}=${value}`);
  const Labels = { ...configuration.config?.Labels, ...labels };
  const { os, architecture, variant } = configuration;
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    created: now.toISOString(),
    config: { Env, Cmd: ['/bin/sh'], Labels },
  };
}
