import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { type BytePath, toBytes } from '../../tar/index.ts';

/** Whether two files of the same size have the same content. */
export async function sameContent(a: BytePath, b: BytePath): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  await using left = await open(toBytes(a), flags);
  await using right = await open(toBytes(b), flags);
  const one = Buffer.allocUnsafe(64 * 1024);
  const two = Buffer.allocUnsafe(64 * 1024);
  for (;;) {
    const [{ bytesRead: m }, { bytesRead: n }] = await Promise.all([left.read(one), right.read(two)]);
    if (m !== n || !one.subarray(0, m).equals(two.subarray(0, n))) return false;
    if (m === 0) return true;
  }
}
