import type { ChangeSource, WorkspaceOptions } from '../types.ts';
import type { Connection } from './connection.ts';

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
  readonly Config: { readonly Env?: readonly string[] | null };
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
