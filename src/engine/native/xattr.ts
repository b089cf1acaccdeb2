import { closeSync, constants, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type BytePath, toBytes } from '../../tar/index.ts';

interface XattrLibrary {
  setAttributeSync(path: string, name: string, value: Uint8Array): void;
}
let library: XattrLibrary | undefined;

/** Sets an extended attribute of a file or folder. */
export function setAttribute(real: BytePath, name: string, value: Uint8Array): void {
  library ??= createRequire(import.meta.url)('@napi-rs/xattr') as XattrLibrary;
  // The library takes text; a path that is not ASCII is reached through its open file instead.
  if (/^[\x20-\x7e]*$/.test(real)) {
    library.setAttributeSync(real, name, value);
    return;
  }
  const fd = openSync(toBytes(real), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    library.setAttributeSync(`/proc/self/fd/${fd}`, name, value);
  } finally {
    closeSync(fd);
  }
}
