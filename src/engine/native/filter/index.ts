import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasPerl } from './apart.ts';
import { abisOf, encode, instructionsFor } from './compile.ts';

export { beginsApart } from './apart.ts';
export { ociFilter } from './oci.ts';

let isPossible: boolean | undefined;
let bytes: Buffer | undefined;

/** Whether system calls can be filtered: the kernel allows it, and there is a list for this processor. */
export function canFilter(): boolean {
  isPossible ??=
    abisOf(process.arch).length > 0 && /^Seccomp:/m.test(readFileSync('/proc/self/status', 'latin1'));
  return isPossible;
}

/**
 * Why system calls of commands are not filtered, as a phrase about them; undefined where they are. `path` is
 * where Perl is looked for, if Perl would load the filter.
 */
export function whyUnfiltered(path: string | undefined): string | undefined {
  if (!canFilter())
    return `their system calls are not filtered, which this kernel on ${process.arch} cannot be told to do`;
  if (path === undefined || hasPerl(path)) return undefined;
  return 'their system calls are not filtered (apt-get install perl-base)';
}

/**
 * Writes the filter into a folder, unless it is there. Returns its path, or undefined where none can be used.
 */
export function filterFile(folder: string): string | undefined {
  if (!canFilter()) return undefined;
  const file = join(folder, 'filter');
  bytes ??= encode(instructionsFor(process.arch) ?? []);
  if (!existsSync(file)) writeFileSync(file, bytes, { mode: 0o600 });
  return file;
}
