import { statfsSync } from 'node:fs';
import type { EngineReport, LimitSupport } from '../types.ts';
import type { Connection } from './connection.ts';

/** What `/version` says, as far as it is used here. */
export interface Version {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[] | null;
}

/** What `/info` says, as far as it is used here. */
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
  /** Podman alone says so here. */
  readonly Rootless?: boolean;
}

/** What an engine is, by its own words. */
export interface Identity {
  readonly isPodman: boolean;
  /** Of the engine itself, which podman has among its components. */
  readonly version: string;
  readonly api: string;
}

/** Reads what `/version` says. */
export function identityOf({ Version: version, ApiVersion: api, Components }: Version): Identity {
  const podman = Components?.find(({ Name }) => /podman/i.test(Name));
  const engine = Components?.find(({ Name }) => Name === 'Engine');
  return { isPodman: podman !== undefined, version: podman?.Version ?? engine?.Version ?? version, api };
}

/** As in the engine's contract. */
export async function reportOf(connection: Connection, identity: Identity): Promise<EngineReport> {
  const info = await connection.json<SystemInfo>('GET', '/info');
  const dataRoot = info.DockerRootDir ?? '';
  let freeBytes: number | undefined;
  try {
    const { bavail, bsize } = statfsSync(dataRoot);
    freeBytes = bavail * bsize;
  } catch {
    // Not on this machine.
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

/** Engines leave limits that they cannot set out, without an error. */
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

/** Go's name of an architecture that an engine names as the kernel does. */
function architectureOf(machine: string): string {
  return ({ x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm' } as Record<string, string>)[machine] ?? machine;
}
