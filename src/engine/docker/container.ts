import { EngineError, NoShellError } from '../errors.ts';
import type { ChangeSource, OpenedImages, WorkspaceOptions } from '../types.ts';
import { ApiError, type Connection } from './connection.ts';
import type { InspectedImage } from './images.ts';

/** What every workspace of a run shares. */
export interface RunContext {
  readonly connection: Connection;
  /** Hears the id of the image that a container is made of. */
  readonly onImage: (id: string) => void;
  /** Labels of everything that this run makes. */
  readonly labels: Readonly<Record<string, string>>;
  /** A fresh random text of 32 hex digits. */
  readonly token: () => string;
  /** Which source of changes to use; `upper` falls back where it cannot be read. */
  readonly source: ChangeSource;
  readonly fallback: 'changes' | 'export';
  /** Podman gives files to root in archives of single paths, and makes nothing in containers that do not run. */
  readonly isPodman: boolean;
  /** Opens an image to read it as data. */
  readonly read: (image: string) => Promise<OpenedImages>;
  /** What the engine says of an image; undefined where it has none of that name. */
  readonly inspect: (image: string) => Promise<InspectedImage | undefined>;
  /** An existing folder for what has to be kept aside. */
  readonly temporary: string;
}

/** What `inspect` says of a container, as far as it is used here. */
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

/** The container of a workspace, in the terms of the API's `ContainerCreate`. */
export function containerOf(
  image: string,
  options: Pick<WorkspaceOptions, 'environment' | 'folder' | 'network' | 'memory' | 'processes'>,
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
      // The second number counts swap with memory.
      ...(options.memory === undefined ? {} : { Memory: options.memory, MemorySwap: options.memory }),
      ...(options.processes === undefined ? {} : { PidsLimit: options.processes }),
    },
  };
}

/** Creates the container of a workspace; its id. */
export async function createContainer(
  { connection, labels, isPodman, inspect }: RunContext,
  image: string,
  options: WorkspaceOptions,
): Promise<string> {
  const body = containerOf(image, options, labels);
  // For a user that is named, podman writes an /etc/passwd into a container whose image has none.
  const isRoot = isPodman && ((await inspect(image))?.Config?.User ?? '') === '';
  const { Id } = await connection.json<{ Id: string }>('POST', '/containers/create', {
    body: isRoot ? { ...body, User: '' } : body,
    signal: options.signal,
  });
  return Id;
}

/** Removes a container, whatever it does. One that is gone, or going, is no error. */
export async function removeContainer({ connection }: RunContext, id: string): Promise<void> {
  await connection
    .json('DELETE', `/containers/${id}`, { query: { force: '1', v: '1' } })
    .catch((error: unknown) => {
      // 409: its removal is under way.
      if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
    });
}

/** Makes an image of a container; resolves to its id when the engine has it. */
export async function commitContainer(
  { connection }: RunContext,
  id: string,
  repository: string,
  tag: string,
  labels: Readonly<Record<string, string>>,
): Promise<string> {
  const pairs = Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`);
  const { Id } = await connection.json<{ Id: string }>('POST', '/commit', {
    query: {
      container: id,
      repo: repository,
      tag,
      pause: 'false',
      changes: ['ENTRYPOINT []', 'CMD ["/bin/sh"]', ...pairs].join('\n'),
    },
    // Podman insists on a body.
    body: { Labels: {} },
  });
  return Id;
}

/** Why a container could not be started. */
export function startError(image: string, error: ApiError): EngineError {
  const { message } = error;
  if (!/\/bin\/sh|executable file not found/i.test(message)) return error;
  if (/no such file|not found/i.test(message)) return new NoShellError(image, error);
  return new EngineError(`${image} has a /bin/sh that does not run here (${message.trim()})`, {
    cause: error,
  });
}
