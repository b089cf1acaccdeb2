import { Readable } from 'node:stream';
import { type BytePath, type EntrySource, writeTar } from '../../../tar/index.ts';
import type {
  ChangeSource,
  Changes,
  FileContent,
  FileEntry,
  OutputListener,
  WorkspaceOptions,
} from '../../types.ts';
import { inLayers, withGiven } from '../changes/own-folders.ts';
import { Spool } from '../changes/spool.ts';
import { lookedUp, tarsOf } from '../changes/tars.ts';
import {
  commitContainer,
  containerOf,
  createContainer,
  type Inspected,
  type RunContext,
  removeContainer,
} from './container.ts';
import { type ContainerWorkspace, DockerWorkspace } from './workspace.ts';

/**
 * A workspace on an image without a shell: a container that is started when the first command runs, because
 * an upload may have brought a shell by then. Until then it can be read and written. A container that never
 * started does not remove itself: if nobody closes the workspace, it is a leftover that a later run sweeps.
 */
export class UnstartedWorkspace implements ContainerWorkspace {
  readonly #run: RunContext;
  readonly #id: string;
  readonly #image: string;
  readonly #options: WorkspaceOptions;
  readonly #files: Spool;
  /** The paths that were uploaded, and the folders above them. */
  readonly #given = new Set<BytePath>();
  #starting: Promise<DockerWorkspace> | undefined;
  #started: DockerWorkspace | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    run: RunContext,
    { id, created }: { readonly id: string; readonly created: number },
    image: string,
    options: WorkspaceOptions,
  ) {
    this.#run = run;
    this.#id = id;
    this.#image = image;
    this.#options = options;
    const { connection, isPodman, labels, temporary } = run;
    const inImage = isPodman
      ? lookedUp(connection, containerOf(image, { environment: new Map(), folder: '/' }, labels))
      : inLayers(image, run.read, created);
    const ownFolders = withGiven(inImage, this.#given);
    this.#files = new Spool(tarsOf(connection, id, { archives: !isPodman, ownFolders }), temporary);
  }

  /** Creates the container. Rejects with an `EngineError`, and leaves nothing behind then. */
  static async create(
    run: RunContext,
    image: string,
    options: WorkspaceOptions,
  ): Promise<UnstartedWorkspace> {
    const id = await createContainer(run, image, options);
    try {
      const { Image, Created } = await run.connection.json<Pick<Inspected, 'Image' | 'Created'>>(
        'GET',
        `/containers/${id}/json`,
      );
      run.onImage(Image);
      const created = Math.floor(Date.parse(Created) / 1000);
      return new UnstartedWorkspace(run, { id, created }, image, options);
    } catch (error) {
      await removeContainer(run, id).catch(() => {});
      throw error;
    }
  }

  get source(): ChangeSource {
    return this.#started?.source ?? this.#run.fallback;
  }

  get ended(): boolean {
    return this.#started?.ended ?? true;
  }

  #start(): Promise<DockerWorkspace> {
    this.#starting ??= (async () => {
      const started = await DockerWorkspace.start(
        this.#run,
        this.#id,
        this.#image,
        this.#options,
        this.#given,
      );
      this.#started = started;
      await this.#files.close();
      return started;
    })();
    return this.#starting;
  }

  async upload(entries: EntrySource): Promise<void> {
    if (this.#started !== undefined) return await this.#started.upload(entries);
    this.#files.forget();
    await this.#run.connection.json('PUT', `/containers/${this.#id}/archive`, {
      query: { path: '/' },
      upload: Readable.from(writeTar(this.#noted(entries))),
      headers: { 'Content-Type': 'application/x-tar' },
    });
  }

  async *#noted(entries: EntrySource): EntrySource {
    for await (const one of entries) {
      const { path } = one.entry;
      this.#given.add(path);
      for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
        this.#given.add(path.slice(0, at));
      yield one;
    }
  }

  async run(
    command: string,
    onOutput: OutputListener,
    environment?: ReadonlyMap<string, string>,
  ): Promise<number> {
    return await (await this.#start()).run(command, onOutput, environment);
  }

  async mark(): Promise<void> {
    await (await this.#start()).mark();
  }

  async changes(): Promise<Changes> {
    return await (await this.#start()).changes();
  }

  list(root: BytePath): Promise<readonly FileEntry[]> {
    return (this.#started ?? this.#files).list(root);
  }

  stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]> {
    return (this.#started ?? this.#files).stat(paths);
  }

  read(files: readonly FileEntry[]): AsyncIterable<FileContent> {
    return (this.#started ?? this.#files).read(files);
  }

  commit(repository: string, tag: string, labels: Readonly<Record<string, string>>): Promise<string> {
    if (this.#started !== undefined) return this.#started.commit(repository, tag, labels);
    return commitContainer(this.#run, this.#id, repository, tag, labels);
  }

  async export(): Promise<AsyncIterable<Uint8Array>> {
    return await this.#run.connection.stream('GET', `/containers/${this.#id}/export`);
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
    // A container whose start failed was removed there.
    const started = await this.#starting?.catch(() => undefined);
    await this.#files.close();
    if (started !== undefined) await started.close();
    else await removeContainer(this.#run, this.#id);
  }
}
