import { Readable } from 'node:stream';
import { type BytePath, type EntrySource, writeTar } from '../../../tar/index.ts';
import { UpperSource } from '../../overlay/upper.ts';
import { encodeMade, MADE_LABEL } from '../../runtime.ts';
import type {
  ChangeSource,
  Changes,
  FileContent,
  FileEntry,
  OutputListener,
  WorkspaceOptions,
} from '../../types.ts';
import { type Chosen, type Source, sourceOf } from '../changes/source.ts';
import { SpoolSource } from '../changes/spool-source.ts';
import { ApiError } from '../connection/connection.ts';
import {
  commitContainer,
  createContainer,
  type Inspected,
  isSoonGone,
  type RunContext,
  removeContainer,
  startError,
} from './container.ts';
import { addedVariables, changeEnvironment } from './environment.ts';
import { Failures } from './failures.ts';
import { FullDisk } from './full-disk.ts';
import { missingEntries } from './missing-entries.ts';
import { Shell } from './shell.ts';

/** A workspace in a container, started or not. */
export type ContainerWorkspace = Pick<
  DockerWorkspace,
  'source' | 'ended' | 'upload' | 'run' | 'mark' | 'changes' | 'list' | 'stat' | 'commit' | 'export' | 'close'
> & { read(files: readonly FileEntry[]): AsyncIterable<FileContent> };

/** A workspace in a running container, whose first process is a shell that reads from our connection. */
export class DockerWorkspace {
  readonly #run: RunContext;
  readonly id: string;
  readonly #shell: Shell;
  readonly #from: Source;
  /** The folder with what commands wrote, where this process can see it. */
  readonly #upper: string | undefined;
  /** The environment that the workspace was opened with. */
  readonly #opened: ReadonlyMap<string, string>;
  /** The environment that the shell has now. */
  #environment: ReadonlyMap<string, string>;
  readonly #failures: Failures;
  readonly source: ChangeSource;
  #closing: Promise<void> | undefined;

  private constructor(
    run: RunContext,
    id: string,
    created: number,
    shell: Shell,
    { environment, memory }: WorkspaceOptions,
    source: Chosen,
  ) {
    this.#run = run;
    this.id = id;
    this.#shell = shell;
    this.#opened = environment;
    this.#environment = environment;
    const { connection } = run;
    this.#failures = new Failures({ connection, id, created, shell, limit: memory });
    this.#from = source.from;
    this.#upper = source.upper;
    this.source = source.kind;
  }

  /** Creates and starts the container. Rejects with an `EngineError`, and leaves nothing behind then. */
  static async open(run: RunContext, image: string, options: WorkspaceOptions): Promise<DockerWorkspace> {
    return await DockerWorkspace.start(run, await createContainer(run, image, options), image, options);
  }

  /**
   * Starts a container that was created with these options; `given` are paths that were uploaded in the
   * meantime. Rejects with an `EngineError`, a `NoShellError` where there is no shell to start; the container
   * is removed then.
   */
  static async start(
    run: RunContext,
    id: string,
    image: string,
    options: WorkspaceOptions,
    given: ReadonlySet<BytePath> = new Set(),
  ): Promise<DockerWorkspace> {
    const { connection } = run;
    let shell: Shell | undefined;
    try {
      const stream = await connection.hijack(`/containers/${id}/attach`, {
        query: { stream: '1', stdin: '1', stdout: '1', stderr: '1' },
      });
      shell = new Shell(stream, run.token(), options.folder);
      await connection.json('POST', `/containers/${id}/start`);
      const inspected = await connection.json<Inspected>('GET', `/containers/${id}/json`);
      run.onImage(inspected.Image);
      const workspace = new DockerWorkspace(
        run,
        id,
        Date.parse(inspected.Created),
        shell,
        options,
        sourceOf(run, id, image, inspected, options.folder, given),
      );
      const extra = addedVariables(inspected.Config.Env ?? [], options.environment);
      await shell.configure(`umask 022; unset ${extra.join(' ')}`);
      return workspace;
    } catch (error) {
      shell?.destroy();
      await removeContainer(run, id).catch(() => {});
      throw error instanceof ApiError ? startError(options.image, error) : error;
    }
  }

  async upload(entries: EntrySource): Promise<void> {
    if (this.#from instanceof SpoolSource) this.#from.forget();
    else {
      const missing = await missingEntries(entries, this.#from);
      if (missing === undefined) return;
      entries = missing;
    }
    await this.#alive(() =>
      this.#run.connection.json('PUT', `/containers/${this.id}/archive`, {
        query: { path: '/' },
        upload: Readable.from(writeTar(entries)),
        headers: { 'Content-Type': 'application/x-tar' },
      }),
    );
  }

  async run(
    command: string,
    onOutput: OutputListener,
    environment: ReadonlyMap<string, string> = this.#opened,
  ): Promise<number> {
    if (this.#from instanceof SpoolSource) this.#from.forget();
    return await this.#alive(async () => {
      await this.#enter(environment);
      const disk = new FullDisk(this.#upper);
      const code = await this.#shell.run(command, (stream, chunk) => {
        disk.take(chunk);
        onOutput(stream, chunk);
      });
      if (code !== 0) await this.#failures.checkCommand(code, disk);
      return code;
    });
  }

  /**
   * Does something with the container. If it fails because the container ended, the error says how the
   * container ended.
   */
  async #alive<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  async #explained(error: unknown): Promise<unknown> {
    // Nothing is explained of a workspace that is being closed, or of an abort.
    if (this.#closing !== undefined || (error as Error).name === 'AbortError') return error;
    return await this.#failures.explain(error);
  }

  /** As `#alive`, for a stream and the content of its pieces. */
  async *#aliveEach<T>(pieces: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* pieces;
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  /** Gives the shell another environment. */
  async #enter(environment: ReadonlyMap<string, string>): Promise<void> {
    if (environment === this.#environment) return;
    const text = changeEnvironment(this.#environment, environment);
    this.#environment = environment;
    if (text !== '') await this.#shell.configure(text);
  }

  mark(): Promise<void> {
    return this.#alive(async () => this.#from.mark());
  }

  changes(): Promise<Changes> {
    return this.#alive(async () => this.#from.changes());
  }

  list(root: BytePath): Promise<readonly FileEntry[]> {
    return this.#alive(async () => this.#from.list(root));
  }

  stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]> {
    return this.#alive(async () => this.#from.stat(paths));
  }

  async *read(files: readonly FileEntry[]): AsyncGenerator<FileContent, void, undefined> {
    for await (const one of this.#aliveEach(this.#from.read(files)))
      yield one.content === undefined ? one : { ...one, content: this.#aliveEach(one.content) };
  }

  /** Whether its shell, and so the container, has ended. */
  get ended(): boolean {
    return this.#shell.ended;
  }

  /** Makes an image of the present state, and resolves to the image's id. */
  async commit(repository: string, tag: string, labels: Readonly<Record<string, string>>): Promise<string> {
    const made = this.#from instanceof UpperSource ? this.#from.made() : [];
    const all = { ...labels, ...(made.length > 0 && { [MADE_LABEL]: encodeMade(made) }) };
    return await this.#alive(() => commitContainer(this.#run, this.id, repository, tag, all));
  }

  /** The container's file system as a tar stream, to make an image of one layer. */
  async export(): Promise<AsyncIterable<Uint8Array>> {
    return await this.#run.connection.stream('GET', `/containers/${this.id}/export`);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close().catch((error: unknown) => {
      // An engine that is gone may come back before the run ends, and the container with it: then closing is
      // tried again.
      this.#closing = undefined;
      throw error;
    });
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { connection } = this.#run;
    if (this.#from instanceof SpoolSource) await this.#from.close();
    if (this.#shell.busy) {
      await connection
        .json('POST', `/containers/${this.id}/kill`, { query: { signal: 'KILL' } })
        .catch(() => {});
    }
    this.#shell.end();
    if (await isSoonGone(connection, this.id)) return this.#shell.destroy();
    this.#shell.destroy();
    await removeContainer(this.#run, this.id);
  }
}
