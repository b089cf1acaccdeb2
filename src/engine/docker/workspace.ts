import { Readable } from 'node:stream';
import { type BytePath, type EntrySource, writeTar } from '../../tar/index.ts';
import { overlayOf } from '../overlay/mount.ts';
import { UpperSource } from '../overlay/upper.ts';
import {
  type ChangeSource,
  type Changes,
  EngineError,
  type FileContent,
  type FileEntry,
  type OutputListener,
  type WorkspaceOptions,
} from '../types.ts';
import { ApiError, type Connection } from './connection.ts';
import { quoteForShell, Shell } from './shell.ts';
import { SpoolSource } from './spool-source.ts';
import { lookedUp, tarsOf, toldByTime } from './tars.ts';

/** What every workspace of a run shares. */
export interface RunContext {
  readonly connection: Connection;
  /** Labels of everything that this run makes. */
  readonly labels: Readonly<Record<string, string>>;
  /** A fresh random text of 32 hex digits. */
  readonly token: () => string;
  /** Which source of changes to use; `upper` falls back where it cannot be read. */
  readonly source: ChangeSource;
  readonly fallback: 'changes' | 'export';
  /** Podman gives files to root in archives of single paths, and makes nothing in containers that do not run. */
  readonly isPodman: boolean;
  /** An existing folder for what has to be kept aside. */
  readonly temporary: string;
}

/** What `inspect` says of a container, as far as it is used here. */
interface Inspected {
  readonly Created: string;
  readonly State: {
    readonly Pid: number;
    readonly Running: boolean;
    readonly OOMKilled?: boolean;
    readonly Error?: string;
  };
  readonly Config: { readonly Env?: readonly string[] | null };
}

type Source = UpperSource | SpoolSource;

/** A running container whose first process is a shell on our connection. */
export class DockerWorkspace {
  readonly #run: RunContext;
  readonly id: string;
  readonly #shell: Shell;
  readonly #from: Source;
  #environment: ReadonlyMap<string, string>;
  readonly source: ChangeSource;
  /** Why the upper folder is not read, where it is not. */
  readonly reason: string | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    run: RunContext,
    id: string,
    shell: Shell,
    environment: ReadonlyMap<string, string>,
    source: { readonly from: Source; readonly kind: ChangeSource; readonly reason?: string },
  ) {
    this.#run = run;
    this.id = id;
    this.#shell = shell;
    this.#environment = environment;
    this.#from = source.from;
    this.source = source.kind;
    this.reason = source.reason;
  }

  /** Creates and starts the container. Rejects with an `EngineError`, leaving nothing behind. */
  static async open(run: RunContext, image: string, options: WorkspaceOptions): Promise<DockerWorkspace> {
    const { connection } = run;
    const { Id: id } = await connection.json<{ Id: string }>('POST', '/containers/create', {
      body: containerOf(image, options, run.labels),
      signal: options.signal,
    });
    let shell: Shell | undefined;
    try {
      const stream = await connection.hijack(`/containers/${id}/attach`, {
        query: { stream: '1', stdin: '1', stdout: '1', stderr: '1' },
      });
      shell = new Shell(stream, run.token(), options.folder);
      await connection.json('POST', `/containers/${id}/start`);
      const inspected = await connection.json<Inspected>('GET', `/containers/${id}/json`);
      const workspace = new DockerWorkspace(
        run,
        id,
        shell,
        options.environment,
        sourceOf(run, id, image, inspected, options.folder),
      );
      const strange = (inspected.Config.Env ?? [])
        .map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))))
        .filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !options.environment.has(name));
      // Engines add names of their own (`container`, `TERM`), shells count their depth.
      const extra = [...new Set([...strange, 'SHLVL'])].filter(
        (name) => name !== 'HOSTNAME' && !options.environment.has(name),
      );
      await shell.configure(`umask 022; unset ${extra.join(' ')}`);
      return workspace;
    } catch (error) {
      shell?.destroy();
      await connection.json('DELETE', `/containers/${id}`, { query: { force: '1', v: '1' } }).catch(() => {});
      if (
        error instanceof ApiError &&
        /\/bin\/sh|no such file or directory|executable file not found/i.test(error.message)
      ) {
        throw new EngineError(
          `${options.image} has no /bin/sh that runs here, which commands need (${error.message.trim()})`,
          { cause: error },
        );
      }
      throw error;
    }
  }

  async upload(entries: EntrySource): Promise<void> {
    if (this.#from instanceof SpoolSource) this.#from.forget();
    await this.#run.connection.json('PUT', `/containers/${this.id}/archive`, {
      query: { path: '/' },
      upload: Readable.from(writeTar(entries)),
      headers: { 'Content-Type': 'application/x-tar' },
    });
  }

  async run(command: string, onOutput: OutputListener): Promise<number> {
    if (this.#from instanceof SpoolSource) this.#from.forget();
    try {
      return await this.#shell.run(command, onOutput);
    } catch (error) {
      if (this.#closing !== undefined || !(error instanceof EngineError)) throw error;
      throw new EngineError(`${error.message}${await this.#causeOfEnd()}`, { cause: error });
    }
  }

  async setEnvironment(environment: ReadonlyMap<string, string>): Promise<void> {
    // A name that is no identifier cannot be set in a shell; it has the value of the opening.
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

  async #causeOfEnd(): Promise<string> {
    const state = await this.#run.connection
      .json<Inspected>('GET', `/containers/${this.id}/json`)
      .then(({ State }) => State)
      .catch(() => undefined);
    if (state?.OOMKilled === true) return ': it was killed for want of memory';
    if (state?.Error) return `: ${state.Error}`;
    return ' while a command was running in it';
  }

  async mark(): Promise<void> {
    await this.#from.mark();
  }

  async changes(): Promise<Changes> {
    return await this.#from.changes();
  }

  async list(root: BytePath): Promise<readonly FileEntry[]> {
    return await this.#from.list(root);
  }

  async stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]> {
    return await this.#from.stat(paths);
  }

  read(files: readonly FileEntry[]): AsyncIterable<FileContent> {
    return this.#from.read(files);
  }

  /** Makes an image of the present state; resolves when the engine has it. */
  async commit(repository: string, tag: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const pairs = Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`);
    await this.#run.connection.json('POST', '/commit', {
      query: {
        container: this.id,
        repo: repository,
        tag,
        pause: 'false',
        changes: ['ENTRYPOINT []', 'CMD ["/bin/sh"]', ...pairs].join('\n'),
      },
      // Podman insists on a body.
      body: { Labels: {} },
    });
  }

  /** The container's file system as a tar stream, for images that are made of one layer. */
  async export(): Promise<AsyncIterable<Uint8Array>> {
    return await this.#run.connection.stream('GET', `/containers/${this.id}/export`);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
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
    // The container removes itself as soon as its shell has ended; where it has not soon, it is removed.
    for (let wait = 20; wait < 2000; wait *= 1.6) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      const gone = await connection.json('GET', `/containers/${this.id}/json`).then(
        () => false,
        (error: unknown) => error instanceof ApiError && error.status === 404,
      );
      if (gone) return this.#shell.destroy();
    }
    this.#shell.destroy();
    await connection
      .json('DELETE', `/containers/${this.id}`, { query: { force: '1', v: '1' } })
      .catch((error: unknown) => {
        // 409: its removal is under way.
        if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
      });
  }
}

/** The container of a workspace, in the terms of the API's `ContainerCreate`. */
export function containerOf(
  image: string,
  options: Pick<WorkspaceOptions, 'environment' | 'folder' | 'network'>,
  labels: RunContext['labels'],
): object {
  return {
    Image: image,
    // The image's own user, entry point, command and health check do not matter to a build.
    User: '0:0',
    Entrypoint: ['/bin/sh'],
    Cmd: [],
    Healthcheck: { Test: ['NONE'] },
    Hostname: 'luetbuild',
    WorkingDir: options.folder,
    Env: [...options.environment].map(([name, value]) => `${name}=${value}`),
    Labels: labels,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    HostConfig: {
      AutoRemove: true,
      Init: false,
      // What Docker gives by default and podman does not, so that commands can do the same on both.
      CapAdd: ['AUDIT_WRITE', 'MKNOD', 'NET_RAW'],
      // Output is read from the attached stream; a second copy on the engine's disk would only cost.
      LogConfig: { Type: 'none' },
      ...(options.network === undefined ? {} : { NetworkMode: options.network }),
    },
  };
}

function sourceOf(
  run: RunContext,
  id: string,
  image: string,
  inspected: Inspected,
  folder: string,
): { from: Source; kind: ChangeSource; reason?: string } {
  const answer =
    run.source === 'upper'
      ? overlayOf(inspected.State.Pid, id)
      : ({ ok: false, reason: 'another source was asked for' } as const);
  if (answer.ok) return { from: new UpperSource(answer.mount, folder.slice(1)), kind: 'upper' };
  const kind = run.source === 'upper' ? run.fallback : run.source;
  const tars = tarsOf(run.connection, id, {
    archives: !run.isPodman,
    changes: kind === 'changes',
    ownFolders: run.isPodman
      ? lookedUp(run.connection, containerOf(image, { environment: new Map(), folder: '/' }, run.labels))
      : toldByTime(Math.floor(Date.parse(inspected.Created) / 1000)),
  });
  return {
    from: new SpoolSource(tars, run.temporary),
    kind,
    reason: answer.reason,
  };
}
