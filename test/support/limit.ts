import { readFileSync, writeFileSync } from 'node:fs';
import type { Connection } from '../../src/engine/docker/connection/connection.ts';

/** Gives a running container only so much memory, in bytes. Podman of Debian has no request for that. */
export async function limitMemory(api: Connection, id: string, bytes: number): Promise<void> {
  try {
    await api.json('POST', `/containers/${id}/update`, { body: { Memory: bytes, MemorySwap: bytes } });
  } catch {
    const { State } = await api.json<{ State: { Pid: number } }>('GET', `/containers/${id}/json`);
    const groups = readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8');
    const [, old] = /^\d+:memory:(.*)$/m.exec(groups) ?? [];
    const file =
      old === undefined
        ? `/sys/fs/cgroup${/^0::(.*)$/m.exec(groups)?.[1]}/memory.max`
        : `/sys/fs/cgroup/memory${old}/memory.limit_in_bytes`;
    writeFileSync(file, String(bytes));
  }
}
