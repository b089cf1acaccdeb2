import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { EngineReport } from '../types.ts';
import type { Way } from './find/probe.ts';
import { limitsHere } from './groups/groups.ts';

/** Describes this machine as an engine with a store in `folder`, which works in a way of this `kind`. */
export function reportOf(folder: string, kind: Way['kind'] | undefined): EngineReport {
  let freeBytes: number | undefined;
  try {
    const { bavail, bsize } = statfsSync(folder);
    freeBytes = bavail * bsize;
  } catch {
    // There is no store yet.
  }
  return {
    name: 'native',
    version: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    apiVersion: '',
    address: `native:${folder}`,
    storageDriver: kind === 'bare' ? 'copy' : (kind ?? 'overlay'),
    platform: `linux/${architecture()}`,
    cpus: availableParallelism(),
    dataRoot: folder,
    ...(freeBytes === undefined ? {} : { freeBytes }),
    limits: limitsHere(),
  };
}

/** This machine's architecture as images name it. */
export function architecture(): string {
  return ({ x64: 'amd64' } as Record<string, string>)[process.arch] ?? process.arch;
}
