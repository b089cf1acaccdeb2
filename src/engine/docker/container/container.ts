import { Tries } from '../../../async/index.ts';
import { EngineError, NoShellError } from '../../errors.ts';
import type { ChangeSource, OpenedImages, WorkspaceOptions } from '../../types.ts';
import { ApiError, type Connection } from '../connection/connection.ts';
import type { InspectedImage } from '../images/inspected.ts';

/** What all workspaces of a run share. */
export interface RunContext {
  readonly connection: Connection;
  /** Called with the id of the image that a container is created from. */
  readonly onImage: (id: string) => void;
  /** Labels of everything that this run creates. */
  readonly labels: Readonly<Record<string, string>>;
  /** A new random text of 32 hexadecimal digits. */
  readonly token: () => string;
  /** The source of changes to use. `upper` falls back to `fallback` where the upper folder cannot be read. */
  readonly source: ChangeSource;
  readonly fallback: 'changes' | 'export';
  /**
   * Podman gives files to root in archives of single paths, and creates nothing in containers that do not
   * run.
   */
  readonly isPodman: boolean;
  /** Opens an image to read it as data. */
  readonly read: (image: string) => Promise<OpenedImages>;
  /** What the engine knows of an image; undefined where it has none of that name. */
  readonly inspect: (image: string) => Promise<InspectedImage | undefined>;
  /** An existing folder for temporary files. */
  readonly temporary: string;
}

/** The fields of an inspected container that are used here. */
export interface Inspected {
  readonly Image: string;
  readonly Created: string;
  readonly State: {
    readonly Pid: number;
    readonly Running: boolean;
  };
  readonly Config: {
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
}

/** The container of a workspace, in terms of the API's `ContainerCreate`. */
export function containerOf(
  image: string,
  options: Pick<WorkspaceOptions, 'environment' | 'folder' | 'network' | 'memory' | 'processes'>,
  labels: RunContext['labels'],
): object {
  return {
    Image: image,
    // The image's own user, entry point, command and health check must not matter to a build.
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
      // Docker gives these by default and podman does not. Commands can do the same on both.
      CapAdd: ['AUDIT_WRITE', 'MKNOD', 'NET_RAW'],
      // Output is read from the attached stream; a copy on the engine's disk would only cost time.
      LogConfig: { Type: 'none' },
      ...(options.network === undefined ? {} : { NetworkMode: options.network }),
      // `MemorySwap` is memory and swap together.
      ...(options.memory === undefined ? {} : { Memory: options.memory, MemorySwap: options.memory }),
      ...(options.processes === undefined ? {} : { PidsLimit: options.processes }),
    },
  };
}

/** Creates the container of a workspace, and resolves to its id. */
export async function createContainer(
  { connection, labels, isPodman, inspect }: RunContext,
  image: string,
  options: WorkspaceOptions,
): Promise<string> {
  const body = containerOf(image, options, labels);
  // Where a user is named, podman writes an /etc/passwd into a container whose image has none.
  const isRoot = isPodman && ((await inspect(image))?.Config?.User ?? '') === '';
  const { Id } = await connection.json<{ Id: string }>('POST', '/containers/create', {
    body: isRoot ? { ...body, User: '' } : body,
    signal: options.signal,
  });
  return Id;
}

/** Removes a container in any state. It is no error if it is gone, or being removed. */
export async function removeContainer({ connection }: RunContext, id: string): Promise<void> {
  await connection
    .json('DELETE', `/containers/${id}`, { query: { force: '1', v: '1' } })
    .catch((error: unknown) => {
      // 409: it is being removed.
      if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
    });
}

/**
 * Waits for a container that removes itself when its shell ends, which takes 50 to 400 ms; resolves to whether it is
 * gone. A build waits for its last container, so pauses are short and grow slowly. Rejects where the engine does not
 * answer.
 */
export async function isSoonGone(connection: Connection, id: string): Promise<boolean> {
  const tries = new Tries({ pause: 40, factor: 1.1, patience: 3000 });
  while (await tries.again()) {
    try {
      await connection.json('GET', `/containers/${id}/json`);
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'gone') throw error;
      if (error instanceof ApiError && error.status === 404) return true;
    }
  }
  return false;
}

/**
 * Makes an image of a container, and resolves to the image's id. The engine names the image when it is
 * complete: if it dies before, there is no image of that name.
 */
export async function commitContainer(
  { connection, isPodman }: RunContext,
  id: string,
  repository: string,
  tag: string,
  labels: Readonly<Record<string, string>>,
): Promise<string> {
  // Podman takes what stands between the quotes as it is, Docker undoes escapes in it.
  const quoted = (value: string): string => (isPodman ? `"${value}"` : JSON.stringify(value));
  const pairs = Object.entries(labels).map(([name, value]) => `LABEL ${name}=${quoted(value)}`);
  const { Id } = await connection.json<{ Id: string }>('POST', '/commit', {
    query: {
      container: id,
      repo: repository,
      tag,
      pause: 'false',
      changes: ['ENTRYPOINT []', 'CMD ["/bin/sh"]', ...pairs].join('\n'),
    },
    // Podman requires a body.
    body: { Labels: {} },
  });
  return Id;
}

/** The error for a container that could not be started. */
export function startError(image: string, error: ApiError): EngineError {
  const { message } = error;
  if (!/\/bin\/sh|executable file not found/i.test(message)) return error;
  if (/no such file|not found/i.test(message)) return new NoShellError(image, error);
  return new EngineError(`${image} has a /bin/sh that does not run here (${message.trim()})`, {
    cause: error,
  });
}
