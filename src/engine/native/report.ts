import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { EngineReport, LimitSupport } from '../types.ts';
import type { Way } from './probe.ts';

/** There are no control groups yet. */
export const noLimit: LimitSupport = {
  possible: false,
  reason: 'the native engine limits neither memory nor processes',
};

/** What is told of this machine as an engine with a store in `folder`, where work is done in a way of a `kind`. */
export function reportOf(folder: string, kind: Way['kind'] | undefined): EngineReport {
  let freeBytes: number | undefined;
  try {
    const { bavail, bsize } = statfsSync(folder);
    freeBytes = bavail * bsize;
  } catch {
    // Not made yet.
  }
  return {
    name: 'native',
    version: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    apiVersion: '',
    address: `native:${folder}`,
    storageDriver: kind ?? 'overlay',
    platform: `linux/${architecture()}`,
    cpus: availableParallelism(),
    dataRoot: folder,
    ...(freeBytes === undefined ? {} : { freeBytes }),
    limits: { memory: noLimit, processes: noLimit },
  };
}

/** This machine's architecture as images name it. */
export function architecture(): string {
  return ({ x64: 'amd64' } as Record<string, string>)[process.arch] ?? process.arch;
}
