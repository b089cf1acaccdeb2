import { Readable } from 'node:stream';
import { Tries } from '../../../async/index.ts';
import { type BytePath, type EntrySource, writeTar } from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';
import { outOfMemory } from '../../limits.ts';
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
  type RunContext,
  removeContainer,
  startError,
} from './container.ts';
import { whyEnded } from './end.ts';
import { FullDisk } from './full-disk.ts';
import { missingEntries } from './missing-entries.ts';
import { quoteForShell, Shell } from './shell.ts';

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
  /** The memory limit in bytes. */
  readonly #limit: number | undefined;
  readonly source: ChangeSource;
  /** Why the upper folder is not read; undefined where it is. */
  readonly reason: string | undefined;
  /**
   * When the container was created, by the engine's clock, and when we learned of it, by ours; in
   * milliseconds.
   */
  readonly #created: number;
  readonly #openedAt = performance.now();
  #memoryKills = 0;
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
    this.#created = created;
    this.#shell = shell;
    this.#opened = environment;
    this.#environment = environment;
    this.#limit = memory;
    this.#from = source.from;
    this.#upper = source.upper;
    this.source = source.kind;
    this.reason = source.reason;
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
      const strange = (inspected.Config.Env ?? [])
        .map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))))
        .filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !options.environment.has(name));
      // Engines add variables of their own (`container`, `TERM`), and shells count their depth (`SHLVL`).
      const extra = [...new Set([...strange, 'SHLVL'])].filter(
        (name) => name !== 'HOSTNAME' && !options.environment.has(name),
      );
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
      if (code !== 0) await this.#excuse(code, disk);
      return code;
    });
  }

  /** Throws where a command failed because the engine ran out of memory or of disk. */
  async #excuse(code: number, disk: FullDisk): Promise<void> {
    const kills = await this.#shell.memoryKills();
    if (kills > this.#memoryKills) {
      this.#memoryKills = kills;
      throw outOfMemory(
        `the kernel killed processes because memory ran out (exit code ${code})`,
        this.#limit,
      );
    }
    if (disk.isFull || (disk.isSuspected && (await this.#shell.isFull())))
      throw new EngineError(`no space is left on the engine's disk (exit code ${code})`, {
        kind: 'no-space',
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
    if (error instanceof EngineError && error.kind !== 'other' && !this.#shell.ended) return error;
    const end = await whyEnded(this.#run.connection, {
      id: this.id,
      created: this.#created,
      age: performance.now() - this.#openedAt,
      known: this.#shell.ended,
    });
    if (end?.kind === 'out-of-memory') return outOfMemory(end.message, this.#limit, error);
    if (end !== undefined) return new EngineError(end.message, { cause: error, kind: end.kind });
    return error;
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
    // A shell can only set names that are identifiers; others keep the value of the opening.
    const isName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
    const changed = [...environment].filter(
      ([name, value]) => isName(name) && this.#environment.get(name) !== value,
    );
    const gone = [...this.#environment.keys()].filter((name) => isName(name) && !environment.has(name));
    this.#environment = environment;
    const lines = [
      ...changed.map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
      ...gone.map((name) => `unset ${name}`),
    ];
    if (lines.length > 0) await this.#shell.configure(lines.join('\n'));
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

  /** Whether the container does not exist any more. Rejects where the engine does not answer. */
  #isGone(): Promise<boolean> {
    return this.#run.connection.json('GET', `/containers/${this.id}/json`).then(
      () => false,
      (error: unknown) => {
        if (error instanceof EngineError && error.kind === 'gone') throw error;
        return error instanceof ApiError && error.status === 404;
      },
    );
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
    // The container removes itself when its shell ends, which takes 50 to 400 ms; if it is still there after
    // that, it is removed here. A build waits for its last container, so pauses are short and grow slowly.
    const tries = new Tries({ pause: 40, factor: 1.1, patience: 3000 });
    while (await tries.again()) if (await this.#isGone()) return this.#shell.destroy();
    this.#shell.destroy();
    await removeContainer(this.#run, this.id);
  }
}
