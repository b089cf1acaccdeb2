/**
 * Packages of Debian, without apt: an index is read, packages are fetched by name, checked against it and kept
 * in a folder.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

/** The release whose packages are taken. */
const release = 'bookworm';

/** Where Debian is asked for, in this order, unless `LUET_TS_DEBIAN_MIRROR` names another place. */
const mirrors = [
  'https://deb.debian.org/debian',
  'http://deb.debian.org/debian',
  'http://archive.debian.org/debian',
];

async function get(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return Buffer.from(await response.arrayBuffer());
}

/** The index of a release, each paragraph with an empty line above it, and where it was found. */
async function index(architecture: string): Promise<{ mirror: string; text: string }> {
  const own = process.env.LUET_TS_DEBIAN_MIRROR;
  const reasons: string[] = [];
  for (const mirror of own === undefined ? mirrors : [own.replace(/\/$/, '')]) {
    try {
      const packed = await get(`${mirror}/dists/${release}/main/binary-${architecture}/Packages.gz`);
      return { mirror, text: `\n\n${gunzipSync(packed).toString('latin1')}` };
    } catch (error) {
      const { message, cause } = error as Error;
      reasons.push(`  ${mirror}: ${cause instanceof Error ? cause.message : message}`);
    }
  }
  throw new Error(
    `No Debian mirror answers; set LUET_TS_DEBIAN_MIRROR to one that does.\n${reasons.join('\n')}`,
  );
}

/** The value of a field of one package's paragraph of the index. */
const field = (paragraph: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1];

/**
 * Brings packages into `folder` as `NAME.deb`, those that are there already excepted, and answers their paths in the order
 * of `names`. `architecture` as Debian names it. Throws where a package does not exist or does not arrive whole.
 */
export async function fetchPackages(
  architecture: string,
  names: readonly string[],
  folder: string,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths = names.map((name) => join(folder, `${name}.deb`));
  const there = await Promise.all(paths.map((path) => readFile(path).then(Boolean, () => false)));
  if (there.every(Boolean)) return paths;
  const { mirror, text } = await index(architecture);
  for (const [i, name] of names.entries()) {
    const path = paths[i];
    if (there[i] || path === undefined) continue;
    const start = text.indexOf(`\n\nPackage: ${name}\n`);
    if (start < 0) throw new Error(`Debian ${release} has no package ${name} for ${architecture}`);
    const paragraph = text.slice(start + 2, text.indexOf('\n\n', start + 2));
    const file = field(paragraph, 'Filename') ?? '';
    const bytes = await get(`${mirror}/${file}`);
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (digest !== field(paragraph, 'SHA256'))
      throw new Error(`${mirror}/${file}: not the file that the index names`);
    await writeFile(`${path}.${process.pid}`, bytes);
    await rename(`${path}.${process.pid}`, path);
  }
  return paths;
}

/** One file out of a package: `path` as the archive inside names it, such as `./bin/busybox`. */
export async function fileOfPackage(deb: string, path: string): Promise<Buffer> {
  const execute = promisify(execFile);
  const limits = { encoding: 'buffer', maxBuffer: 64 << 20 } as const;
  try {
    const { stdout } = await execute(
      'sh',
      ['-c', 'dpkg-deb --fsys-tarfile "$1" | tar -xOf - "$2"', 'sh', deb, path],
      limits,
    );
    if (stdout.length > 0) return stdout;
  } catch {
    // Told below.
  }
  throw new Error(`${basename(deb)} cannot be unpacked: install dpkg and tar, or a static busybox`);
}
