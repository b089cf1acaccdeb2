import { emptyLayer } from '../../../image/index.ts';
import { type BytePath, readTar } from '../../../tar/index.ts';
import { isRuntimeFolder } from '../../runtime.ts';
import type { OpenedImages } from '../../types.ts';
import { ApiError } from '../connection/connection.ts';
import type { RunContext } from '../container/container.ts';
import { type Tars, toldByTime } from './tars.ts';

/**
 * Finds out from an image's layers which folders it has itself. Folders of a container do not show it: Docker
 * may have made them, for this container or for one before. Docker 20.10 starts containers of images that it
 * cannot save: to save a layer it opens every file by the name that the layer gave it, which fails for
 * `../../g` and for a path through a link. For such an image times decide; `created` is when the container
 * was created, in seconds since 1970.
 */
export function inLayers(
  image: string,
  read: (image: string) => Promise<OpenedImages>,
  created: number,
): NonNullable<Tars['ownFolders']> {
  let known: Promise<ReadonlySet<BytePath> | undefined> | undefined;
  return async (folders) => {
    known ??= foldersOf(image, read).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 500 && error.kind === 'other') return undefined;
      throw error;
    });
    const own = await known;
    if (own === undefined) return await toldByTime(created)(folders);
    return new Set(folders.map(({ path }) => path).filter((path) => own.has(path)));
  };
}

/**
 * Finds out which folders the image of a started container has itself: by their times, or by the layers where
 * the image stands on the empty root, because there Docker made all of them at some time.
 */
export function ownOf(
  run: Pick<RunContext, 'read' | 'inspect'>,
  image: string,
  created: number,
): NonNullable<Tars['ownFolders']> {
  const byTime = toldByTime(created);
  const byLayers = inLayers(image, run.read, created);
  return async (folders) => {
    const first = (await run.inspect(image))?.RootFS?.Layers?.[0];
    return await (first === emptyLayer() ? byLayers : byTime)(folders);
  };
}

/** The same, with folders that were uploaded before the container started. */
export function withGiven(
  own: NonNullable<Tars['ownFolders']>,
  given: ReadonlySet<BytePath>,
): NonNullable<Tars['ownFolders']> {
  return async (folders) =>
    new Set([...(await own(folders)), ...folders.map(({ path }) => path).filter((path) => given.has(path))]);
}

async function foldersOf(
  reference: string,
  read: (image: string) => Promise<OpenedImages>,
): Promise<ReadonlySet<BytePath>> {
  const opened = await read(reference);
  const own = new Set<BytePath>();
  try {
    const image = await opened.image(reference);
    for (const layer of (await image?.layers()) ?? []) {
      const entries = readTar(layer.uncompressed(), { sparse: true, rooted: true, allowMissingEnd: true });
      for await (const { entry } of entries) {
        const { path } = entry;
        // Whiteouts (OCI image layer) of a folder, and of everything in the root.
        if (path === '.wh..wh..opq') own.clear();
        else if (path.startsWith('.wh.')) own.delete(path.slice('.wh.'.length));
        else {
          const top = path.split('/', 1)[0] ?? '';
          if (isRuntimeFolder(top) && (path !== top || entry.type === 'directory')) own.add(top);
        }
      }
    }
    return own;
  } finally {
    await opened.close();
  }
}
