import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fetchPackages, fileOfPackage } from './debian.ts';

/** A BusyBox that needs no library, and the names that it answers to. */
export interface Busybox {
  readonly program: Buffer;
  readonly applets: readonly string[];
}

/** Whether a file is a program for 64-bit Linux that names no loader, that is, a static one. */
export function isStatic(program: Buffer): boolean {
  const elf64 = program.length > 64 && program.readUInt32BE(0) === 0x7f454c46 && program[4] === 2;
  if (!elf64) return false;
  const offset = Number(program.readBigUInt64LE(32));
  const size = program.readUInt16LE(54);
  const count = program.readUInt16LE(56);
  for (let i = 0; i < count; i++) {
    const at = offset + i * size;
    if (at + 4 > program.length || program.readUInt32LE(at) === 3) return false; // PT_INTERP
  }
  return true;
}

/**
 * The machine's own static BusyBox, or else Debian's, which is kept in `folder`. `architecture` as images name it; it must
 * be the machine's, because BusyBox is asked for its names.
 */
export async function staticBusybox(architecture: string, folder: string): Promise<Busybox> {
  const here = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (process.platform !== 'linux' || here !== architecture) {
    throw new Error(
      `A base image for linux/${architecture} is made on a machine of that kind, and this is not one`,
    );
  }
  const path = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, 'busybox'));
  const kept = join(folder, 'busybox');
  for (const candidate of [...path, kept].filter(existsSync)) {
    const program = await readFile(candidate);
    if (isStatic(program)) return { program, applets: appletsOf(candidate) };
  }
  const [deb = ''] = await fetchPackages(architecture, ['busybox-static'], folder);
  const program = await fileOfPackage(deb, './bin/busybox');
  await writeFile(`${kept}.${process.pid}`, program);
  await chmod(`${kept}.${process.pid}`, 0o755);
  await rename(`${kept}.${process.pid}`, kept);
  return { program, applets: appletsOf(kept) };
}

function appletsOf(busybox: string): string[] {
  const names = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n');
  return names.filter((name) => name !== '' && name !== 'busybox');
}
