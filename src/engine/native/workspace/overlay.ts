import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type LayerFolder, type Store, storeFailure } from '../../../store/index.ts';
import type { BytePath, EntrySource } from '../../../tar/index.ts';
import { type FixedFolders, LayerView } from '../../overlay/layers.ts';
import { UpperSource } from '../../overlay/upper.ts';
import type { Changes, FileContent, FileEntry, OutputListener, WorkspaceOptions } from '../../types.ts';
import type { OverlayWay } from '../find/probe.ts';
import type { Group } from '../groups/groups.ts';
import { type Launch, launch } from '../sandbox/launch.ts';
import { begin, type RunningChain } from '../sandbox/run.ts';
import type { Network } from '../sandbox/runtime-files.ts';
import { describeSandbox } from '../sandbox/sandbox.ts';
import type { Starter, Starters } from '../sandbox/starter.ts';
import { isRootPrepared, type PreparedRoot, prepareRoot, removePlaces, ShellCheck } from './prepare.ts';
import { makePlaces, opaqueName, Stack, type StackFolder, type StackFolders } from './stack.ts';
import { UpperTree } from './upper-tree.ts';
import {
  exitCodeOf,
  type NativeWorkspace,
  networkOf,
  OutputTail,
  toPath,
  WorkspaceLife,
} from './workspace.ts';
import { writeEntries } from './write-entries.ts';

/** What all workspaces of a run share. */
export interface RunContext {
  readonly store: Store;
  /** Shells that start commands: each in its own namespace of processes, or in none. */
  readonly namespaced: Starters;
  readonly starters: Starters;
  readonly stackFolders: StackFolders;
  readonly folders: FixedFolders;
  /** Whether something exists at a path of this machine; each path is looked up once. */
  readonly isThere: (path: string) => boolean;
  /** Whether a file system is mounted at a path of this machine; each path is looked up once. */
  readonly isMount: (path: string) => boolean;
  /** Whether there is only one user id, so that files can have no other owner. */
  readonly hasOneId: boolean;
}

/**
 * Printed after a command failed that may have tried to change an owner: the kernel calls that an invalid
 * argument.
 */
const ONE_ID =
  'luet-ts: this user has one id, so that files can have no other owner; a range of ids is needed for that (/etc/subuid, /etc/subgid, and newuidmap: apt-get install uidmap)';

/**
 * A workspace on a stack of layers with an upper folder. The stack is mounted again for each command. Where
 * starters have their own namespaces, it is mounted once in one of them for all commands, until something
 * else is done with the upper folder.
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
  /** The image's layers, and the layer with places for mounts. */
  readonly #below: LayerView;
  readonly #from: UpperSource;
  readonly #folder: BytePath;
  readonly #network: Network;
  readonly #life = new WorkspaceLife();
  readonly #shell: ShellCheck;
  /** What was created so that files can be mounted. */
  readonly #made = new Set<BytePath>();
  /** The starter in whose namespace the stack is mounted now. */
  #mounted: Starter | undefined;
  readonly #environment: ReadonlyMap<string, string>;

  /**
   * `lowers` are folders, the highest first; `known` are paths in them that other engines made. Throws an
   * `EngineError`; what was created by then is removed with the run.
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
    const places = join(store.runs.folder(), 'places');
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

  /** Unmounts the stack in all namespaces at once: removing a folder removes what is mounted on it. */
  async #unmount(): Promise<void> {
    if (this.#mounted === undefined) return;
    this.#mounted = undefined;
    await rmdir(this.#stack.merged);
  }

  /** The upper folder over the image's layers and the places for mounts. */
  #tree(): UpperTree {
    return new UpperTree(toPath(this.layer.files), this.#below, opaqueName(this.#run.store.form));
  }

  #prepared(): PreparedRoot {
    return prepareRoot(this.#tree(), this.#folder, this.#stack.folder, this.#made);
  }

  async upload(entries: EntrySource): Promise<void> {
    this.#life.use();
    await this.#unmount();
    await writeEntries(this.#tree(), entries).catch((error: unknown) => {
      throw storeFailure(this.#run.store.folder, error);
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
    const said = new OutputTail();
    const listener: OutputListener = (stream, chunk) => {
      said.add(chunk);
      onOutput(stream, chunk);
    };
    return exitCodeOf(store, this.#group, said, async () => {
      // The starter in which the stack is mounted is busy with another workspace.
      if (this.#mounted !== undefined && !this.#run.namespaced.isFree(this.#mounted)) await this.#unmount();
      // The workspace may have been closed in the meantime; from here on, closing it ends the command.
      this.#life.use();
      const code = await this.#life.run(this.#begin(launched, listener)).catch(async (error: unknown) => {
        // The mount may have failed.
        await this.#unmount().catch(() => {});
        throw error;
      });
      if (code !== 0 && this.#run.hasOneId && /invalid argument/i.test(said.text))
        onOutput('stderr', Buffer.from(`${ONE_ID}\n`));
      return code;
    });
  }

  #begin(launched: Launch, listener: OutputListener): RunningChain {
    const { namespaced, starters } = this.#run;
    const { folder } = this.#stack;
    const chain = { ...launched, folder, entrances: this.#group?.entrances ?? [] };
    const { maker, freshProc } = this.#way;
    const mounting = (): string => `${this.#stack.mount()}${launched.script}`;
    // Mounts of other makers must not stay in a starter's namespace, so those mount and unmount in a new one.
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
    // The layer lies below others from now on.
    await this.#unmount();
    removePlaces(toPath(this.layer.files), this.#made, this.#below);
  }

  close(): Promise<void> {
    return this.#life.close(async () => {
      await this.#unmount();
      this.#stack.close();
      this.#run.stackFolders.giveBack(this.#place);
      await this.#group?.remove();
      if (!this.#life.isKept) await this.#run.store.layers.drop(this.layer.id);
    });
  }
}
