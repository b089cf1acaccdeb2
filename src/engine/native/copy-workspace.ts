import { execFile } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BytePath, EntrySource } from '../../tar/index.ts';
import { look } from '../overlay/disk.ts';
import { LayerView } from '../overlay/layers.ts';
import {
  type Changes,
  EngineError,
  type FileContent,
  type FileEntry,
  type OutputListener,
  type WorkspaceOptions,
} from '../types.ts';
import { CopySource } from './copy-source.ts';
import type { Group } from './groups.ts';
import { becomes, envPaths } from './inside.ts';
import { fromPath, judged, Life, type NativeWorkspace, networkOf, Tail, toPath } from './native-workspace.ts';
import { place } from './place.ts';
import { killRooted } from './processes.ts';
import { quoted } from './quoted.ts';
import { begin, type Ending } from './run.ts';
import { type Network, networkFiles } from './runtime-files.ts';
import { capabilities, deviceLinks, HOSTNAME } from './sandbox.ts';
import { mountedFiles, opaqueName } from './stack.ts';
import { PATH } from './starter.ts';
import { diskError } from './store/disk.ts';
import type { LayerFolder } from './store/store.ts';
import { copyMetadata, UpperTree } from './upper-tree.ts';
import type { RunContext } from './workspace.ts';

const copy = promisify(execFile);

/** Devices that commands count on, as `mknod` takes them. */
const nodes = ['null c 1 3', 'zero c 1 5', 'full c 1 7', 'random c 1 8', 'urandom c 1 9', 'tty c 5 0'];

/**
 * A root that is a copy of its image's, in which commands run by chroot: for where nothing may be mounted. There is no `/proc` then, and
 * no namespace; what a command leaves running is found by its root.
 */
export class CopyWorkspace implements NativeWorkspace {
  readonly source = 'listing';
  readonly isWhole = true;
  readonly layer: LayerFolder;
  readonly #run: RunContext;
  readonly #group: Group | undefined;
  readonly #scratch: string;
  readonly #from: CopySource;
  readonly #ours = new Set<BytePath>();
  readonly #folder: BytePath;
  readonly #network: Network;
  readonly #life = new Life();
  #environment: ReadonlyMap<string, string>;

  private constructor(run: RunContext, layer: LayerFolder, options: WorkspaceOptions, group?: Group) {
    this.#run = run;
    this.layer = layer;
    this.#group = group;
    this.#network = networkOf(options.network);
    this.#environment = options.environment;
    this.#folder = toPath(options.folder.slice(1));
    this.#scratch = run.store.freshPath('w');
    mkdirSync(this.#scratch, { mode: 0o700 });
    this.#from = new CopySource(toPath(layer.files), this.#ours);
    const tree = this.#tree();
    tree.enter(this.#folder);
    for (const name of ['dev', 'etc']) {
      if (tree.find(name) !== undefined) continue;
      tree.enter(name);
      this.#ours.add(name);
    }
    if (!tree.resolve('bin/sh').stat?.isFile())
      throw new EngineError(`${options.image} has no /bin/sh that runs here, which commands need`);
  }

  /** Copies a root: the folder of a layer that has all of it. Rejects with an `EngineError`. */
  static async open(
    run: RunContext,
    root: string | undefined,
    options: WorkspaceOptions,
    group?: Group,
  ): Promise<CopyWorkspace> {
    if (networkOf(options.network) === 'none') await checkNoNetwork();
    const layer = run.store.newLayer();
    if (root !== undefined) {
      try {
        await copy('cp', ['-a', '--reflink=auto', '--', `${root}/.`, layer.files], { env: { PATH } });
        const stat = look(toPath(root));
        if (stat !== undefined) copyMetadata(toPath(layer.files), stat);
      } catch (error) {
        await run.store.dropLayer(layer.id);
        const full = /No space left/.test((error as Error).message);
        throw new EngineError(`the image's root cannot be copied: ${(error as Error).message}`, {
          cause: error,
          kind: full ? 'no-space' : 'other',
        });
      }
    }
    return new CopyWorkspace(run, layer, options, group);
  }

  #tree(): UpperTree {
    const { form } = this.#run.store;
    return new UpperTree(toPath(this.layer.files), new LayerView([]), opaqueName(form));
  }

  async upload(entries: EntrySource): Promise<void> {
    this.#life.use();
    await place(this.#tree(), entries).catch((error: unknown) => {
      throw diskError(this.#run.store.folder, error);
    });
  }

  /** Puts files of ours in the place of the image's; answers what puts those back. */
  #lend(tree: UpperTree): () => void {
    const back: (() => void)[] = [];
    for (const name of ['dev', 'etc']) tree.enter(name);
    if (!lstatSync(join(this.layer.files, 'dev')).isDirectory())
      throw new EngineError("the image's /dev is no folder, so that nothing can run in it");
    const made = [...nodes, ...deviceLinks.map(([name]) => name)].map((row) => `dev/${row.split(' ')[0]}`);
    const fresh = made.filter((path) => look(toPath(join(this.layer.files, path))) === undefined);
    for (const path of fresh) back.push(() => rmSync(join(this.layer.files, path), { force: true }));
    const contents = networkFiles(this.#network);
    for (const name of mountedFiles) {
      const { path, stat } = tree.resolve(`etc/${name}`);
      if (stat !== undefined && !stat.isFile()) continue;
      const { real } = tree.slot(path);
      const bytes = Buffer.from(real, 'latin1');
      const before = stat === undefined ? undefined : readFileSync(bytes);
      writeFileSync(bytes, contents[name] ?? '', { mode: 0o644 });
      back.push(() => {
        rmSync(bytes, { force: true });
        if (before === undefined || stat === undefined) return;
        writeFileSync(bytes, before);
        copyMetadata(real, stat);
      });
    }
    return () => {
      for (const work of back) work();
    };
  }

  async run(command: string, onOutput: OutputListener): Promise<number> {
    this.#life.use();
    const { starters, store } = this.#run;
    const tree = this.#tree();
    const folder = `/${fromPath(tree.enter(this.#folder).path)}`;
    const giveBack = this.#lend(tree);
    const root = this.layer.files;
    const said = new Tail();
    const isOurs = (path: string): boolean => path === root;
    const environment = new Map([['HOSTNAME', HOSTNAME], ...this.#environment]);
    const env = envPaths.find((path) => tree.resolve(path.slice(1)).stat?.isFile());
    try {
      const begun = (): Ending =>
        begin(
          {
            folder: this.#scratch,
            before: [
              ...(this.#network === 'none' ? ['unshare', '-n'] : []),
              ...['setpriv', '--no-new-privs', '--bounding-set'],
              `-all,${capabilities.map((cap) => `+${cap.toLowerCase()}`).join()}`,
            ],
            script: () => `${makeDevices(root)}exec setsid chroot ${quoted(root)} "$@"`,
            words: [],
            command: becomes({ folder, environment, env }, command),
            entrances: this.#group?.entrances ?? [],
            begun: (status) => (status.includes('begun') ? 'begun' : undefined),
            onExit: () => killRooted(isOurs),
          },
          starters,
          (stream, chunk) => {
            said.add(chunk);
            onOutput(stream, chunk);
          },
        );
      await this.#group?.emptied();
      return await judged(store, this.#group, said, () => this.#life.run(begun()));
    } finally {
      giveBack();
    }
  }

  async setEnvironment(environment: ReadonlyMap<string, string>): Promise<void> {
    this.#environment = environment;
  }

  async mark(): Promise<void> {
    this.#from.mark();
  }

  async changes(): Promise<Changes> {
    return this.#from.changes();
  }

  async list(root: BytePath): Promise<readonly FileEntry[]> {
    return this.#from.list(root);
  }

  async stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]> {
    return this.#from.stat(paths);
  }

  read(files: readonly FileEntry[]): AsyncIterable<FileContent> {
    return this.#from.read(files);
  }

  async keep(): Promise<void> {
    this.#life.keep();
    // What the image did not have and nothing was put into is not the image's now.
    for (const path of this.#ours) {
      const real = Buffer.from(`${toPath(this.layer.files)}/${path}`, 'latin1');
      if (readdirSync(real).length === 0) rmdirSync(real);
    }
  }

  close(): Promise<void> {
    return this.#life.close(async () => {
      await rm(this.#scratch, { recursive: true, force: true });
      await this.#group?.remove();
      if (!this.#life.isKept) await this.#run.store.dropLayer(this.layer.id);
    });
  }
}

let noNetwork: Promise<unknown> | undefined;

/** Rejects with an `EngineError` where a command cannot be kept from the network. */
async function checkNoNetwork(): Promise<void> {
  noNetwork ??= copy('unshare', ['-n', 'true'], { env: { PATH }, timeout: 5000 });
  await noNetwork.catch((cause: Error) => {
    throw new EngineError(
      'commands cannot be kept from the network here, which takes a namespace: use --network host',
      { cause },
    );
  });
}

/** Shell text that makes devices and links which a root lacks. */
function makeDevices(root: string): string {
  const at = (name = ''): string => quoted(join(root, 'dev', name));
  const made = nodes.map((row) => {
    const [name, ...kind] = row.split(' ');
    return `[ -e ${at(name)} ] || mknod -m 666 ${at(name)} ${kind.join(' ')}; `;
  });
  const links = deviceLinks.map(([name, to]) => `[ -L ${at(name)} ] || ln -s ${to} ${at(name)}; `);
  return [...made, ...links].join('');
}
