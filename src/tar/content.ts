import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { type BytePath, toBytes } from './path.ts';

/**
 * Reads a file on disk in chunks of at most 256 KiB. Does not follow a symbolic link at the end of the path.
 */
export async function* readContent(real: BytePath): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(toBytes(real), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(256 * 1024);
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
