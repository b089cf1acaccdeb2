import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type LayerFolder, type Store, storeFailure } from '../../../store/index.ts';
import { type BytePath, type EntrySource, readContent, type SourceEntry } from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';
import { attribute, entryOf } from '../../overlay/disk.ts';
import { join, LayerView } from '../../overlay/layers.ts';
import { quoted } from '../sandbox/quoted.ts';
import { PATH } from '../sandbox/starter.ts';
import { opaqueName, Stack } from './stack.ts';
import { copyMetadata, UpperTree } from './upper-tree.ts';
import { toPath } from './workspace.ts';
import { writeEntries } from './write-entries.ts';

const command = promisify(execFile);

/**
 * Makes one layer of several folders, the highest first, through a mount. Rejects with an `EngineError`, and
 * leaves nothing behind then.
 */
export async function flattenMounted(
  store: Store,
  layers: readonly string[],
  places: string,
): Promise<LayerFolder> {
  const layer = store.newLayer();
  const folder = store.freshPath('s');
  await mkdir(folder, { mode: 0o700 });
  const stack = new Stack(store, folder, layer.files, layers, places);
  try {
    const script = `${stack.mountLowers()}exec cp -a --reflink=auto m/. ${quoted(`${layer.files}/`)}`;
    const words = ['--pdeathsig', 'KILL', 'unshare', '-m', 'sh', '-c', script];
    await command('setpriv', words, { cwd: stack.folder, env: { PATH } });
    return layer;
  } catch (error) {
    await store.layers.drop(layer.id);
    const kind = /No space left/.test((error as Error).message) ? 'no-space' : 'other';
    throw new EngineError(`layers cannot be made one: ${(error as Error).message}`, { cause: error, kind });
  } finally {
    stack.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same without a mount: slower, for where nothing can be mounted. */
export async function flattenRead(store: Store, layers: readonly string[]): Promise<LayerFolder> {
  const layer = store.newLayer();
  const view = new LayerView(layers.map(toPath));
  try {
    const root = view.find('');
    const tree = new UpperTree(toPath(layer.files), new LayerView([]), opaqueName(store.form));
    await writeEntries(tree, entriesOf(view));
    if (root !== undefined) copyMetadata(toPath(layer.files), root.stat);
    return layer;
  } catch (error) {
    await store.layers.drop(layer.id);
    throw storeFailure(store.folder, error);
  }
}

/**
 * All entries of a stack of layers, folders before their content; further names of a file as links to the
 * first.
 */
async function* entriesOf(view: LayerView): EntrySource & AsyncGenerator<SourceEntry, void, undefined> {
  const first = new Map<string, BytePath>();
  const queue: BytePath[] = [''];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    for (const [name, { real, stat }] of view.children(folder)) {
      const path = join(folder, name);
      const file = entryOf(path, real, stat);
      if (file === undefined) continue;
      const { inode, ...entry } = file;
      if (file.type === 'directory') queue.push(path);
      const target = inode === undefined ? undefined : first.get(inode);
      if (target !== undefined) {
        yield { entry: { ...entry, type: 'hardlink', size: 0, link: target } };
        continue;
      }
      if (inode !== undefined) first.set(inode, path);
      if (file.type !== 'file') {
        yield { entry };
        continue;
      }
      const capability = attribute(real, 'security.capability');
      const xattrs = new Map(capability === undefined ? [] : [['security.capability', capability]]);
      yield { entry: { ...entry, xattrs }, content: () => readContent(real) };
    }
  }
}
