import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BytePath, EntrySource } from '../../tar/index.ts';
import { LayerView } from '../overlay/layers.ts';
import { UpperSource } from '../overlay/upper.ts';
import { EngineError, type FileContent, type OutputListener, type WorkspaceOptions } from '../types.ts';
import type { PipePool } from './pipes.ts';
import { place } from './place.ts';
import { begin } from './run.ts';
import { networkFiles } from './runtime-files.ts';
import { sandboxWords } from './sandbox.ts';
import { makePlaces, mountedFiles, type OverlayForm, opaqueName, Stack } from './stack.ts';
import type { LayerFolder, Store } from './store/store.ts';
import { storeError } from './store/store.ts';
import { UpperTree } from './upper-tree.ts';

/** What every workspace of a run shares. */
export interface RunContext {
  readonly store: Store;
  readonly pipes: PipePool;
  readonly form: OverlayForm;
  readonly freshProc: boolean;
  /** This program's process id. */
  readonly pid: number;
}

const bytes = (path: string): BytePath => Buffer.from(path, 'utf8').toString('latin1');
const text = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');

/** Bytes on the store's disk below which a command that failed is taken to have failed for that. */
const NOTHING_LEFT = 64 * 1024;

/** The network of a sandbox. Throws an `EngineError` for one that is not there. */
export function networkOf(asked: string | undefined): 'host' | 'none' {
  if (asked === undefined || asked === 'host') return 'host';
  if (asked === 'none') return 'none';
  throw new EngineError(
    `the native engine has no network ${asked}: use --network host or --network none, or another engine`,
  );
}

/** A stack of layers with an upper folder of its own, which is mounted anew for each command. */
export class OverlayWorkspace {
  readonly source = 'upper';
  readonly layer: LayerFolder;
  readonly #run: RunContext;
  readonly #stack: Stack;
  readonly #from: UpperSource;
  readonly #folder: BytePath;
  readonly #network: 'host' | 'none';
  #environment: ReadonlyMap<string, string>;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #isKept = false;

  /** `layers` are folders, the lowest first. Throws an `EngineError`, leaving nothing behind. */
  constructor(run: RunContext, layers: readonly string[], options: WorkspaceOptions) {
    this.#run = run;
    this.#network = networkOf(options.network);
    this.#environment = options.environment;
    this.#folder = bytes(options.folder.slice(1));
    const { store } = run;
    const places = join(store.runFolder(), 'places');
    if (!existsSync(places)) makePlaces(places);
    this.layer = store.newLayer();
    const lowers = [...layers].reverse();
    this.#stack = new Stack(store.freshPath('w'), this.layer.files, lowers, places, run.form);
    for (const [name, content] of Object.entries(networkFiles(this.#network)))
      writeFileSync(join(this.#stack.folder, name), content, { mode: 0o644 });
    this.#prepare();
    const tree = this.#tree();
    if (!tree.resolve('bin/sh').stat?.isFile())
      throw new EngineError(`${options.image} has no /bin/sh that runs here, which commands need`);
    this.#from = new UpperSource({ upper: this.layer.files, lowers }, this.#folder);
  }

  /** The upper folder over the image's layers and the places of mounts. */
  #tree(): UpperTree {
    const below = [...this.#stack.lowers, join(this.#run.store.runFolder(), 'places')].map(bytes);
    return new UpperTree(bytes(this.layer.files), new LayerView(below), opaqueName(this.#run.form));
  }

  /** Makes the folder of commands, and finds where files are mounted: no link of the image's may lead these elsewhere. */
  #prepare(): { folder: string; files: { from: string; to: string }[] } {
    const tree = this.#tree();
    for (const name of ['dev', 'proc', 'sys'])
      if (!tree.find(name)?.stat.isDirectory())
        throw new EngineError(`the image's /${name} is no folder, so that nothing can run in it`);
    const files: { from: string; to: string }[] = [];
    for (const name of mountedFiles) {
      const target = tree.resolve(`etc/${name}`);
      if (target.stat === undefined) {
        const slot = tree.slot(target.path);
        tree.clear(slot);
        writeFileSync(Buffer.from(slot.real, 'latin1'), '', { mode: 0o644 });
      } else if (!target.stat.isFile()) continue;
      files.push({ from: join(this.#stack.folder, name), to: `/${text(target.path)}` });
    }
    return { folder: `/${text(tree.enter(this.#folder).path)}`, files };
  }

  #usable(): void {
    if (this.#closing !== undefined) throw new EngineError('the workspace is closed');
    if (this.#isKept) throw new Error('nothing can be done in a workspace behind its commit');
  }

  async upload(entries: EntrySource): Promise<void> {
    this.#usable();
    try {
      await place(this.#tree(), entries);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ENOSPC' || code === 'EDQUOT' ? storeError(this.#run.store.folder, error) : error;
    }
  }

  async run(command: string, onOutput: OutputListener): Promise<number> {
    this.#usable();
    const { folder, files } = this.#prepare();
    const { freshProc, pipes, pid } = this.#run;
    const words = sandboxWords(
      {
        root: this.#stack.merged,
        files,
        folder,
        environment: this.#environment,
        network: this.#network,
      },
      { isThere: existsSync, freshProc },
    );
    const killed = oomKills();
    const { child, ended } = begin(
      {
        folder: this.#stack.folder,
        prepare: this.#stack.mount(),
        words,
        command: ['/bin/sh', '-c', command],
        parent: pid,
      },
      pipes,
    );
    this.#child = child;
    const ending = ended(onOutput);
    this.#ended = ending.catch(() => {});
    const code = await ending;
    this.#child = undefined;
    if (code !== 0) this.#blame(killed);
    return code;
  }

  /** Throws where a command failed by no fault of its own. */
  #blame(killed: number): void {
    const { bavail, bsize } = statfsSync(this.#run.store.folder);
    if (bavail * bsize < NOTHING_LEFT)
      throw new EngineError(`the disk that the store ${this.#run.store.folder} lies on is full`, {
        kind: 'no-space',
      });
    if (oomKills() > killed)
      throw new EngineError('the kernel killed a process for want of memory', { kind: 'out-of-memory' });
  }

  async setEnvironment(environment: ReadonlyMap<string, string>): Promise<void> {
    this.#environment = environment;
  }

  mark(): void {
    this.#from.mark();
  }

  get from(): UpperSource {
    return this.#from;
  }

  read(files: Parameters<UpperSource['read']>[0]): AsyncIterable<FileContent> {
    return this.#from.read(files);
  }

  /** Says that an image has the layer now: it stays when the workspace is closed, and is not changed any more. */
  keep(): void {
    this.#usable();
    this.#isKept = true;
    this.#run.store.settle(this.layer.id);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
    await rm(this.#stack.folder, { recursive: true, force: true });
    if (!this.#isKept) await this.#run.store.dropLayer(this.layer.id);
  }
}

/** How many processes the kernel has killed for want of memory since the machine began. */
function oomKills(): number {
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
