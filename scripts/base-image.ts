/**
 * Base images for trees, where none can be pulled: `node scripts/base-image.ts conformance|quickstart FILE` writes the archive
 * that `docker load` reads. The tests and the quick start load them by themselves.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type BaseArchive, type BaseFile, type BaseImage, makeBaseImage } from './images/archive.ts';
import { staticBusybox } from './images/busybox.ts';
import { fetchPackages } from './images/debian.ts';

export { type BaseArchive, type BaseFile, type BaseImage, makeBaseImage };

/** Where fetched packages are kept: in the user's cache. */
export function downloads(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'luet-ts', 'debian');
}

/** The machine's architecture as images name it. */
export function imageArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

// Images older than 1980 would make archives that not every tool reads; the day itself means nothing.
const created = Date.UTC(2024, 0, 2, 3, 4, 5) / 1000;

async function busyboxRoot(architecture: string): Promise<Record<string, BaseFile>> {
  const { program, applets } = await staticBusybox(architecture, downloads());
  const files: Record<string, BaseFile> = {};
  for (const folder of 'bin dev etc proc root srv sys tmp usr usr/bin var'.split(' '))
    files[folder] = { type: 'directory' };
  files.tmp = { type: 'directory', mode: 0o1777 };
  for (const name of applets) files[`bin/${name}`] = { type: 'symlink', to: 'busybox' };
  files['bin/busybox'] = { type: 'file', content: program, mode: 0o755 };
  files['etc/passwd'] = { type: 'file', content: 'root:x:0:0:root:/root:/bin/sh\n' };
  files['etc/group'] = { type: 'file', content: 'root:x:0:\n' };
  return files;
}

function image(reference: string, architecture: string, files: BaseImage['files']): BaseImage {
  const env = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  return { reference, created, fileTime: 0, architecture, files, env, command: ['/bin/sh'] };
}

/** `conformance/base:1`, the seed image of the conformance cases: a static BusyBox and a few files. */
export async function conformanceBase(architecture = imageArchitecture()): Promise<BaseImage> {
  const files = await busyboxRoot(architecture);
  files['etc/issue'] = { type: 'file', content: 'conformance base 1\n' };
  return image('conformance/base:1', architecture, files);
}

/**
 * `luet-ts/quickstart:1`, the seed image of the sample tree: a static BusyBox and, in `/var/cache/debs`, a small C
 * toolchain as Debian's packages, which the sample installs in a prelude.
 */
export async function quickstartBase(architecture = imageArchitecture()): Promise<BaseImage> {
  const files = await busyboxRoot(architecture);
  files['etc/issue'] = { type: 'file', content: 'luet-ts quick start\n' };
  files['var/cache'] = { type: 'directory' };
  files['var/cache/debs'] = { type: 'directory' };
  // The compiler, the C library that it runs on, and the one that it links programs with.
  const names = ['tcc', 'libc6', 'musl-dev'];
  const paths = await fetchPackages(architecture, names, join(downloads(), architecture));
  for (const [i, name] of names.entries()) {
    files[`var/cache/debs/${name}.deb`] = { type: 'file', content: await readFile(paths[i] ?? '') };
  }
  return image('luet-ts/quickstart:1', architecture, files);
}

if (import.meta.main) {
  const [which, file] = process.argv.slice(2);
  const make = { conformance: conformanceBase, quickstart: quickstartBase }[which ?? ''];
  if (make === undefined || file === undefined) {
    process.stderr.write('usage: node scripts/base-image.ts conformance|quickstart FILE\n');
    process.exitCode = 2;
  } else {
    const archive = await makeBaseImage(await make());
    await writeFile(file, archive.bytes);
    process.stdout.write(`${file}: ${archive.bytes.length} bytes, layer ${archive.diffId}\n`);
  }
}
