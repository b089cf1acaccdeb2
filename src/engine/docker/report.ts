import { statfsSync } from 'node:fs';
import type { EngineReport, LimitSupport } from '../types.ts';
import type { Connection } from './connection/connection.ts';

/** The fields of `/version` that are used here. */
export interface Version {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[] | null;
}

/** The fields of `/info` that are used here. */
interface SystemInfo {
  readonly NCPU?: number;
  readonly Driver?: string;
  readonly DockerRootDir?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly MemoryLimit?: boolean;
  readonly PidsLimit?: boolean;
  readonly CgroupDriver?: string;
  readonly CgroupVersion?: string;
  /** Only podman reports this here. */
  readonly Rootless?: boolean;
}

/** What an engine says that it is. */
export interface Identity {
  readonly isPodman: boolean;
  /** The version of the engine itself; podman lists it among its components. */
  readonly version: string;
  readonly api: string;
}

/** Reads an answer of `/version`. */
export function identityOf({ Version: version, ApiVersion: api, Components }: Version): Identity {
  const podman = Components?.find(({ Name }) => /podman/i.test(Name));
  const engine = Components?.find(({ Name }) => Name === 'Engine');
  return { isPodman: podman !== undefined, version: podman?.Version ?? engine?.Version ?? version, api };
}

/** As `report` of the engine's contract. */
export async function reportOf(connection: Connection, identity: Identity): Promise<EngineReport> {
  const info = await connection.json<SystemInfo>('GET', '/info');
  const dataRoot = info.DockerRootDir ?? '';
  let freeBytes: number | undefined;
  try {
    const { bavail, bsize } = statfsSync(dataRoot);
    freeBytes = bavail * bsize;
  } catch {
    // The folder is not on this machine.
  }
  return {
    name: identity.isPodman ? 'Podman' : 'Docker',
    version: identity.version,
    apiVersion: identity.api,
    address: connection.address,
    storageDriver: info.Driver ?? 'unknown',
    platform: `${info.OSType ?? 'linux'}/${architectureOf(info.Architecture ?? '')}`,
    cpus: info.NCPU ?? 1,
    dataRoot,
    ...(freeBytes === undefined ? {} : { freeBytes }),
    limits: { memory: limitOf(info, 'memory'), processes: limitOf(info, 'processes') },
  };
}

/** Says whether a limit is possible. Engines ignore limits that they cannot set, without an error. */
function limitOf(info: SystemInfo, what: 'memory' | 'processes'): LimitSupport {
  const not = (reason: string): LimitSupport => ({ possible: false, reason });
  if (info.CgroupDriver === 'none' || (info.Rootless === true && info.CgroupVersion === '1'))
    return not(
      'it runs without root and has no control groups of its own, which takes cgroup v2 and systemd',
    );
  if ((what === 'memory' ? info.MemoryLimit : info.PidsLimit) === false)
    return not(`its kernel has no control groups for ${what} that it may use`);
  return { possible: true, reason: '' };
}

/** Go's name for an architecture that the engine names as the kernel does. */
function architectureOf(machine: string): string {
  return ({ x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm' } as Record<string, string>)[machine] ?? machine;
}
