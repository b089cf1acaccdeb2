import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BytePath, EntrySource } from '../../tar/index.ts';
import { type FixedFolders, LayerView } from '../overlay/layers.ts';
import { UpperSource } from '../overlay/upper.ts';
import type { Changes, FileContent, FileEntry, OutputListener, WorkspaceOptions } from '../types.ts';
import type { Group } from './groups.ts';
import { type Launch, launch } from './launch.ts';
import { judged, Life, type NativeWorkspace, networkOf, Tail, toPath } from './native-workspace.ts';
import { place } from './place.ts';
import { isRootPrepared, type PreparedRoot, prepareRoot, removePlaces, ShellCheck } from './prepare.ts';
import type { OverlayWay } from './probe.ts';
import { begin, type Ending } from './run.ts';
import type { Network } from './runtime-files.ts';
import { describeSandbox } from './sandbox.ts';
import { makePlaces, opaqueName, Stack, type StackFolder, type StackFolders } from './stack.ts';
import type { Starter, Starters } from './starter.ts';
import { diskError } from './store/disk.ts';
import type { LayerFolder, Store } from './store/store.ts';
import { UpperTree } from './upper-tree.ts';

/** What every workspace of a run shares. */
export interface RunContext {
  readonly store: Store;
  /** Shells that begin commands: each in a namespace of its own, and in none. */
  readonly namespaced: Starters;
  readonly starters: Starters;
  readonly stackFolders: StackFolders;
  readonly folders: FixedFolders;
  /** Whether this machine has something at a path, found out once. */
  readonly isThere: (path: string) => boolean;
  /** Whether a file system is mounted at a path of this machine, found out once. */
  readonly isMount: (path: string) => boolean;
  /** Whether all files belong to one user, and can have no other owner. */
  readonly hasOneId: boolean;
}

/** Said where a command failed that may have tried to give a file away: the kernel calls that an invalid argument. */
const ONE_ID =
  'luet-ts: this user has one id, so that files can have no other owner; a range of ids is needed for that (/etc/subuid, /etc/subgid, and newuidmap: apt-get install uidmap)';

/**
 * A stack of layers with an upper folder of its own. It is mounted for each command anew; but where starters have namespaces of their own, once in
 * one of them for all commands, until something else is done with the upper folder.
 */
export class OverlayWorkspace implements NativeWorkspace {
  readonly source = 'upper';
  readonly isWhole = false;
  readonly layer: LayerFolder;
  readonly #run: RunContext;
  readonly #way: OverlayWay;
  readonly #group: Group | undefined;
  readonly #place: StackFolder;
  readonly #stack: Stack;
  /** The image's layers and the places of mounts. */
  readonly #below: LayerView;
  readonly #from: UpperSource;
  readonly #folder: BytePath;
  readonly #network: Network;
  readonly #life = new Life();
  readonly #shell: ShellCheck;
  /** What was made so that files can be mounted. */
  readonly #made = new Set<BytePath>();
  /** Where the stack is mounted now. */
  #mounted: Starter | undefined;
  readonly #environment: ReadonlyMap<string, string>;

  /**
   * `lowers` are folders, the highest first; `known` are paths in them that other engines made. Throws an `EngineError`; what was made goes
   * with the run.
   */
  constructor(
    run: RunContext,
    lowers: readonly string[],
    options: WorkspaceOptions,
    way: OverlayWay,
    group: Group | undefined,
    known: ReadonlySet<BytePath>,
  ) {
    this.#run = run;
    this.#way = way;
    this.#group = group;
    this.#network = networkOf(options.network);
    this.#environment = options.environment;
    this.#folder = toPath(options.folder.slice(1));
    const { store } = run;
    const places = join(store.runFolder(), 'places');
    if (!existsSync(places)) makePlaces(places);
    this.layer = store.newLayer();
    this.#place = run.stackFolders.take(this.#network);
    this.#stack = new Stack(store, this.#place.path, this.layer.files, lowers, places);
    this.#below = new LayerView([...lowers, places].map(toPath), { from: 0, folders: run.folders });
    this.#prepared();
    this.#shell = new ShellCheck(options.image);
    const mount = { upper: this.layer.files, lowers };
    this.#from = new UpperSource(mount, this.#folder, { fixed: run.folders, known });
  }

  /** Unmounts the stack: a folder that goes takes what other namespaces have mounted on it with it. */
  async #unmount(): Promise<void> {
    if (this.#mounted === undefined) return;
    this.#mounted = undefined;
    await rmdir(this.#stack.merged);
  }

  /** The upper folder over the image's layers and the places of mounts. */
  #tree(): UpperTree {
    return new UpperTree(toPath(this.layer.files), this.#below, opaqueName(this.#run.store.form));
  }

  #prepared(): PreparedRoot {
    return prepareRoot(this.#tree(), this.#folder, this.#stack.folder, this.#made);
  }

  async upload(entries: EntrySource): Promise<void> {
    this.#life.use();
    await this.#unmount();
    await place(this.#tree(), entries).catch((error: unknown) => {
      throw diskError(this.#run.store.folder, error);
    });
  }

  async run(
    command: string,
    onOutput: OutputListener,
    environment: ReadonlyMap<string, string> = this.#environment,
  ): Promise<number> {
    this.#life.use();
    const { store } = this.#run;
    const { folder } = this.#stack;
    const { maker, freshProc, ownName } = this.#way;
    if (this.#mounted !== undefined && !isRootPrepared(this.#tree(), this.#folder)) await this.#unmount();
    const { env, ...places } = this.#prepared();
    this.#shell.check(this.#tree());
    const options = {
      ...places,
      root: this.#stack.merged,
      environment,
      network: this.#network,
    };
    const launched = launch(maker, {
      folder,
      sandbox: describeSandbox(options, { ...this.#run, freshProc, ownName }),
      command,
      env,
      isNamespace: store.form === 'user',
    });
    const said = new Tail();
    const listener: OutputListener = (stream, chunk) => {
      said.add(chunk);
      onOutput(stream, chunk);
    };
    return judged(store, this.#group, said, async () => {
      // Where another has the starter that this one is mounted in.
      if (this.#mounted !== undefined && !this.#run.namespaced.isFree(this.#mounted)) await this.#unmount();
      // It may have been closed meanwhile; from here on, that ends the command.
      this.#life.use();
      const code = await this.#life.run(this.#begin(launched, listener)).catch(async (error: unknown) => {
        // It may be the mount that failed.
        await this.#unmount().catch(() => {});
        throw error;
      });
      if (code !== 0 && this.#run.hasOneId && /invalid argument/i.test(said.text))
        onOutput('stderr', Buffer.from(`${ONE_ID}\n`));
      return code;
    });
  }

  #begin(launched: Launch, listener: OutputListener): Ending {
    const { namespaced, starters } = this.#run;
    const { folder } = this.#stack;
    const chain = { ...launched, folder, entrances: this.#group?.entrances ?? [] };
    const { maker, freshProc } = this.#way;
    const mounting = (): string => `${this.#stack.mount()}${launched.script}`;
    // Others mount and unmount in their own namespace what they would leave in a starter's.
    if (maker !== 'bwrap' || !freshProc)
      return begin({ ...chain, before: ['unshare', '-m'], script: mounting }, starters, listener);
    const script = (by: Starter): string => {
      if (by === this.#mounted) return launched.script;
      this.#mounted = by;
      return mounting();
    };
    return begin({ ...chain, before: undefined, script, preferred: this.#mounted }, namespaced, listener);
  }

  async mark(): Promise<void> {
    this.#from.mark();
  }

  changes(): Promise<Changes> {
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
    // It lies below others from now on.
    await this.#unmount();
    removePlaces(toPath(this.layer.files), this.#made, this.#below);
  }

  close(): Promise<void> {
    return this.#life.close(async () => {
      await this.#unmount();
      this.#stack.close();
      this.#run.stackFolders.giveBack(this.#place);
      await this.#group?.remove();
      if (!this.#life.isKept) await this.#run.store.dropLayer(this.layer.id);
    });
  }
}
