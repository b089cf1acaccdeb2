import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fullError, type LayerFolder, storeFailure } from '../../../store/index.ts';
import type { BytePath, EntrySource } from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';
import { look } from '../../overlay/disk.ts';
import { LayerView } from '../../overlay/layers.ts';
import type { Changes, FileContent, FileEntry, OutputListener, WorkspaceOptions } from '../../types.ts';
import type { BareWay, CopyWay } from '../find/probe.ts';
import type { Group } from '../groups/groups.ts';
import { PATH } from '../sandbox/starter.ts';
import type { RunContext } from '../workspace/overlay.ts';
import { removePlaces, ShellCheck } from '../workspace/prepare.ts';
import { opaqueName } from '../workspace/stack.ts';
import { copyMetadata, UpperTree } from '../workspace/upper-tree.ts';
import {
  exitCodeOf,
  type NativeWorkspace,
  networkOf,
  OutputTail,
  toPath,
  WorkspaceLife,
} from '../workspace/workspace.ts';
import { writeEntries } from '../workspace/write-entries.ts';
import { bareRunner, checkNoNetwork } from './bare.ts';
import type { CopyRunner } from './runner.ts';
import { sandboxedRunner } from './sandboxed.ts';
import { CopySource } from './source.ts';

const copy = promisify(execFile);

/** A workspace whose root is a copy of its image's, for where no overlay can be mounted. */
export class CopyWorkspace implements NativeWorkspace {
  readonly source = 'listing';
  readonly isWhole = true;
  readonly layer: LayerFolder;
  readonly #run: RunContext;
  readonly #group: Group | undefined;
  readonly #from: CopySource;
  readonly #ours = new Set<BytePath>();
  readonly #runner: CopyRunner;
  readonly #life = new WorkspaceLife();
  readonly #shell: ShellCheck;
  readonly #environment: ReadonlyMap<string, string>;

  private constructor(
    run: RunContext,
    layer: LayerFolder,
    options: WorkspaceOptions,
    way: CopyWay | BareWay,
    group: Group | undefined,
    known: ReadonlySet<BytePath>,
  ) {
    this.#run = run;
    this.layer = layer;
    this.#group = group;
    this.#environment = options.environment;
    this.#from = new CopySource(toPath(layer.files), this.#ours, known);
    const folder = toPath(options.folder.slice(1));
    const tree = this.#tree();
    tree.enter(folder);
    for (const name of way.kind === 'bare' ? ['dev', 'etc'] : ['dev', 'etc', 'proc', 'sys']) {
      if (tree.find(name) !== undefined) continue;
      tree.enter(name);
      this.#ours.add(name);
    }
    this.#shell = new ShellCheck(options.image);
    const root = {
      ...{ run, group, files: layer.files, folder, network: networkOf(options.network) },
      made: this.#ours,
      tree: () => this.#tree(),
    };
    this.#runner = way.kind === 'bare' ? bareRunner(root, way.walls) : sandboxedRunner(root, way);
  }

  /** Copies the root, which is the folder of one layer. Rejects with an `EngineError`. */
  static async open(
    run: RunContext,
    root: string | undefined,
    options: WorkspaceOptions,
    way: CopyWay | BareWay,
    group: Group | undefined,
    known: ReadonlySet<BytePath>,
  ): Promise<CopyWorkspace> {
    if (way.kind === 'bare' && networkOf(options.network) === 'none') await checkNoNetwork();
    const layer = run.store.newLayer();
    if (root !== undefined) {
      try {
        await copy('cp', ['-a', '--reflink=auto', '--', `${root}/.`, layer.files], { env: { PATH } });
        const stat = look(toPath(root));
        if (stat !== undefined) copyMetadata(toPath(layer.files), stat);
      } catch (error) {
        await run.store.layers.drop(layer.id);
        const { message, stderr = '' } = error as Error & { stderr?: string };
        if (/No space left|quota exceeded/i.test(stderr)) throw fullError(run.store.folder, { cause: error });
        throw new EngineError(`the image's root cannot be copied: ${stderr.trim() || message}`, {
          cause: error,
        });
      }
    }
    return new CopyWorkspace(run, layer, options, way, group, known);
  }

  #tree(): UpperTree {
    const { form } = this.#run.store;
    return new UpperTree(toPath(this.layer.files), new LayerView([]), opaqueName(form));
  }

  async upload(entries: EntrySource): Promise<void> {
    this.#life.use();
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
    const said = new OutputTail();
    const listener: OutputListener = (stream, chunk) => {
      said.add(chunk);
      onOutput(stream, chunk);
    };
    return await exitCodeOf(store, this.#group, said, async () => {
      await this.#group?.emptied();
      // The workspace may have been closed in the meantime; from here on, closing it ends the command.
      this.#life.use();
      this.#shell.check(this.#tree());
      const { ending, after } = this.#runner.begin(command, environment, listener);
      try {
        return await this.#life.run(ending);
      } finally {
        after();
      }
    });
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
    // What was created for commands, and nothing was put into, does not belong to the image.
    removePlaces(toPath(this.layer.files), this.#ours, new LayerView([]));
  }

  close(): Promise<void> {
    return this.#life.close(async () => {
      await this.#runner.close();
      await this.#group?.remove();
      if (!this.#life.isKept) await this.#run.store.layers.drop(this.layer.id);
    });
  }
}
