import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, NoShellError } from '../../src/engine/errors.ts';
import { entryOf, look, names } from '../../src/engine/overlay/disk.ts';
import { isRuntimePath, withoutRuntimeTime } from '../../src/engine/runtime.ts';
import type * as engine from '../../src/engine/types.ts';
import * as images from '../../src/image/index.ts';
import { type BytePath, getAttribute, readContent, writeTar } from '../../src/tar/index.ts';

const CAPABILITY = 'security.capability';

/**
 * The smallest engine that passes the contract of engines: images are OCI layouts, workspaces are folders,
 * and commands run there by `chroot`. It takes root, and isolates nothing. Engines on one folder with one map
 * of images share them.
 */
export function smallEngine(folder: string, held: Map<string, images.Image>): engine.Engine {
  const temporaries = new Set<string>();
  const open = new Set<engine.Workspace>();
  const small: engine.Engine = {
    async report() {
      const { os, architecture } = images.hostPlatform();
      const none = { possible: false, reason: 'it sets no limits' };
      const limits = { memory: none, processes: none };
      const storage = { address: 'small', storageDriver: 'folders', dataRoot: folder };
      const platform = `${os}/${architecture}`;
      return { name: 'small', version: '1', apiVersion: '', ...storage, platform, cpus: 1, limits };
    },
    async resolve(reference) {
      const found = await held.get(reference)?.configuration();
      if (found === undefined) return undefined;
      const { os, architecture, variant = '', config, created = '1970-01-01', rootfs } = found;
      const settings = { env: config?.Env ?? [], os, architecture, variant };
      const info = { reference, layers: rootfs.diff_ids, config: settings, labels: config?.Labels ?? {} };
      return { ...info, created: Math.floor(Date.parse(created) / 1000) };
    },
    async list(repository, only) {
      const found = new Map<string, engine.ListedImage>();
      for (const name of held.keys()) {
        const tag = name.slice(name.lastIndexOf(':') + 1);
        if (name === `${repository}:${only ?? tag}`)
          found.set(tag, { tag, labels: (await small.resolve(name))?.labels ?? {} });
      }
      return found;
    },
    listAll: async () => [...held.keys()].map((name) => ({ names: [name], created: 0 })),
    async read(references, { signal, onBytes = () => {} } = {}) {
      signal?.throwIfAborted();
      const image = async (name: string): Promise<images.Image | undefined> => {
        const found = references.includes(name) ? held.get(name) : undefined;
        return found && images.countedImage(found, onBytes);
      };
      return { image, close: async () => {} };
    },
    async write(given, options = {}) {
      for (const { name, image } of given) {
        // A layer whose bytes are not what its digest says fails here.
        for (const layer of await image.layers()) await images.measure(layer.uncompressed(options.signal));
        const layout = images.ociLayout(mkdtempSync(join(folder, 'image-')));
        await layout.write('', image, options);
        held.set(name, (await layout.image('')) ?? image);
        if (options.temporary === true) temporaries.add(name);
      }
    },
    async open(options) {
      const { image } = options;
      const opened = held.get(image);
      if (opened === undefined) throw new EngineError(`no image ${image}`, { kind: 'image-missing', image });
      const root = mkdtempSync(join(folder, 'root-'));
      await images.extractImage(opened, root);
      mkdirSync(join(root, options.folder), { recursive: true });
      const below = (await small.resolve(image))?.labels;
      const workspace = smallWorkspace(root, options, async (name, labels, temporary = false) => {
        const env = [...options.environment].map(([key, value]) => `${key}=${value}`);
        const made = await images.rootfsImage(root, { env, labels: { ...below, ...labels } });
        await small.write([{ name, image: made }], { temporary });
      });
      open.add(workspace);
      return workspace;
    },
    openForReading: (image) => small.open({ image, environment: new Map(), folder: '/' }),
    async importImage(name, tar, temporary = false) {
      const root = mkdtempSync(join(folder, 'import-'));
      await images.extractLayer(tar, root);
      await small.write([{ name, image: await images.rootfsImage(root) }], { temporary });
      return (await small.resolve(name)) as engine.ImageInfo;
    },
    remove: async (reference) => void held.delete(reference),
    // Names of images live in memory, so a run that died has left none.
    sweep: async () => {},
    async close() {
      for (const workspace of open) await workspace.close();
      for (const name of temporaries) held.delete(name);
    },
  };
  return small;
}

type Listing = ReadonlyMap<BytePath, { readonly entry: engine.FileEntry; readonly state: string }>;

/** Everything in a folder, and what of it must stay the same for a path to count as unchanged. */
function listingOf(root: string): Listing {
  const listing = new Map<BytePath, { entry: engine.FileEntry; state: string }>();
  const scan = (folder: BytePath): void => {
    for (const name of names(`${root}/${folder}`)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      const stat = look(`${root}/${path}`);
      const entry = stat && entryOf(path, `${root}/${path}`, stat);
      if (entry === undefined || isRuntimePath(path)) continue;
      const { type, mode, uid, gid } = entry;
      const content = type === 'directory' ? '' : `${stat?.size} ${stat?.mtimeNs} ${stat?.rdev}`;
      const state = `${type} ${mode} ${uid} ${gid} ${content}`;
      listing.set(path, { entry: withoutRuntimeTime(entry), state });
      if (type === 'directory') scan(path);
    }
  };
  scan('');
  return new Map([...listing].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function changesOf(before: Listing, now: Listing): engine.Changes {
  const isFolder = (path: BytePath): boolean => path === '' || now.get(path)?.entry.type === 'directory';
  const isTop = (path: BytePath): boolean => isFolder(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
  const kept = [...now].filter(([path]) => before.has(path));
  return {
    added: [...now].flatMap(([path, { entry }]) => (before.has(path) ? [] : [entry])),
    changed: kept.flatMap(([path, { state }]) => (before.get(path)?.state === state ? [] : [path])),
    removed: [...before.keys()].filter((path) => !now.has(path) && isTop(path)),
  };
}

function smallWorkspace(
  root: string,
  { image, environment, folder, network }: engine.WorkspaceOptions,
  commit: engine.Workspace['commit'],
): engine.Workspace {
  let marked: Listing = new Map();
  let running: ChildProcess | undefined;
  let isFrozen = false;
  return {
    source: 'listing',
    upload: async (entries) => void (await images.extractLayer(writeTar(entries), root)),
    async run(command, onOutput, given = environment) {
      if (isFrozen) throw new Error('the workspace was committed');
      if (look(join(root, 'bin/sh')) === undefined) throw new NoShellError(image);
      // The first process of a namespace takes all others along when it ends.
      const unshare = ['--fork', '--pid', '--kill-child', ...(network === 'none' ? ['--net'] : [])];
      const script = 'umask 022; cd "$0" && /bin/sh -c "$1"; exit $?';
      const words = ['/usr/sbin/chroot', root, '/bin/sh', '-c', script, folder, command];
      const child = spawn('/usr/bin/unshare', [...unshare, ...words], {
        env: Object.fromEntries(given),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      running = child;
      child.stdout.on('data', (chunk: Buffer) => onOutput('stdout', chunk));
      child.stderr.on('data', (chunk: Buffer) => onOutput('stderr', chunk));
      const [code] = (await once(child, 'close')) as [number | null];
      if (code === null) throw new EngineError('the workspace was closed', { kind: 'killed' });
      return code;
    },
    async mark() {
      marked = listingOf(root);
    },
    changes: async () => changesOf(marked, listingOf(root)),
    async list(top) {
      const found = [...listingOf(root).values()].map(({ entry }) => entry);
      return found.filter(({ path }) => top === '' || path === top || path.startsWith(`${top}/`));
    },
    async stat(paths) {
      const listing = listingOf(root);
      return paths.flatMap((path) => listing.get(path)?.entry ?? []);
    },
    async *read(files) {
      for (const file of files) {
        const isFile = file.type === 'file';
        const path = `${root}/${file.path}`;
        const value = isFile ? getAttribute({ path, isFolder: false }, CAPABILITY) : undefined;
        const xattrs = new Map(value === undefined ? [] : [[CAPABILITY, value]]);
        yield { file, xattrs, ...(isFile ? { content: readContent(path) } : {}) };
      }
    },
    async commit(...given) {
      isFrozen = true;
      await commit(...given);
    },
    async close() {
      running?.kill('SIGKILL');
      rmSync(root, { recursive: true, force: true });
    },
  };
}
