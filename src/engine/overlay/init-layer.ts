import type { BytePath } from '../../tar/index.ts';
import { look, names } from './disk.ts';

/** What Docker puts into a layer of its own between an image and a container: places for its mounts. */
const inside: Readonly<Record<string, ReadonlySet<string>>> = {
  '': new Set(['.dockerenv', 'dev', 'etc', 'proc', 'sys']),
  dev: new Set(['console', 'pts', 'shm']),
  etc: new Set(['hostname', 'hosts', 'mtab', 'resolv.conf']),
  proc: new Set(),
  sys: new Set(),
};

/**
 * Whether a layer is such a layer of Docker's. With images in containerd, an image that was made of a
 * container has that container's layer below its own on this machine, although it is not a layer of the
 * image.
 */
export function isInitLayer(layer: BytePath): boolean {
  if (look(`${layer}/.dockerenv`) === undefined) return false;
  return Object.entries(inside).every(([folder, known]) => {
    const at = folder === '' ? layer : `${layer}/${folder}`;
    return look(at) === undefined || names(at).every((name) => known.has(name));
  });
}
