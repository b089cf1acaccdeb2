/**
 * Bundles the command and the library from src/ into dist/: `node scripts/bundle.ts [cli]` (with `cli`: the
 * command alone, as the launcher does when a source is newer than the bundle).
 *
 * Several may run at once, and a command may be running from the bundle meanwhile: chunks are named by their
 * content, every file appears by a rename, and the entry that refers to the others comes last.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, BuildResult, OutputFile } from 'esbuild';
import { lazyImports, lazyRequires } from './bundle-lazy.ts';
import { slimDependencies } from './bundle-slim.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Age in milliseconds after which a chunk that no entry refers to is removed: longer than any build runs. */
const staleAge = 24 * 3600 * 1000;

/** esbuild's options for these entries (`{name: source}`), reading sources under `from`. */
export function bundleOptions(from: string, entries: Readonly<Record<string, string>>): BuildOptions {
  return {
    absWorkingDir: from,
    entryPoints: { ...entries },
    outdir: 'dist',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // A person reads stack traces of this: names stay.
    minifySyntax: true,
    legalComments: 'none',
    // oclif's parser would write its own log.
    define: { 'process.env.CLI_FLAGS_DEBUG': '""' },
    logLevel: 'silent',
    // Native programs cannot be bundled; they stay in node_modules.
    external: ['@napi-rs/xattr', 'fs-native-extensions', '*.node'],
    plugins: [slimDependencies, lazyImports, lazyRequires],
  };
}

/** A file is replaced whole or not at all, whoever else writes it at the same time. */
async function writeWhole(path: string, contents: Uint8Array, mtime: Date): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(aside, contents);
    await utimes(aside, mtime, mtime);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

// CommonJS packages in an ES module bundle ask for Node's own modules by `require`, which only the chunk that
// holds esbuild's helper needs.
const requireBanner =
  "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);\n";

function outputBytes(file: OutputFile): Uint8Array {
  const needsRequire = file.path.endsWith('.js') && file.text.includes('typeof require');
  return needsRequire ? Buffer.from(requireBanner + file.text) : file.contents;
}

/** Removes chunks and unfinished files of `dist` that no entry reaches and that are older than `age`. */
async function removeStale(dist: string, now: number, age: number): Promise<void> {
  const names = await readdir(dist);
  const entries = names.filter((n) => n.endsWith('.js') && !/-[A-Z0-9]{8}\.js$/.test(n));
  const reached = new Set<string>();
  const visit = async (name: string): Promise<void> => {
    if (reached.has(name)) return;
    reached.add(name);
    const text = await readFile(join(dist, name), 'utf8').catch(() => '');
    for (const found of text.matchAll(/"\.\/([\w.-]+-[A-Z0-9]{8}\.c?js)"/g)) await visit(found[1] ?? '');
  };
  for (const entry of entries) await visit(entry);
  for (const name of names) {
    if (reached.has(name) || !/(-[A-Z0-9]{8}\.c?js|\.tmp)$/.test(name)) continue;
    const path = join(dist, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && now - info.mtimeMs > age) await unlink(path).catch(() => {});
  }
}

/**
 * Bundles `entries` of the checkout `from` into `to`. The files carry the time at which bundling began, so that a source
 * saved meanwhile is newer than they are. Throws esbuild's BuildFailure for a source that cannot be bundled.
 */
export async function bundle(
  from: string,
  to: string,
  entries: Readonly<Record<string, string>>,
): Promise<BuildResult> {
  const began = new Date();
  const { build } = await import('esbuild');
  const result = await build(bundleOptions(from, entries));
  await mkdir(to, { recursive: true });
  const files = [...(result.outputFiles ?? [])];
  const isEntry = (file: OutputFile): boolean => basename(file.path, '.js') in entries;
  for (const last of [false, true]) {
    await Promise.all(
      files
        .filter((file) => isEntry(file) === last)
        .map((file) => writeWhole(join(to, basename(file.path)), outputBytes(file), began)),
    );
  }
  await removeStale(to, began.getTime(), staleAge);
  return result;
}

/** The library's entries, as package.json exports them, of those rooms that exist. */
function libraryEntries(from: string): Record<string, string> {
  const all = { index: 'src/index.ts', template: 'src/template/index.ts', solver: 'src/solver/index.ts' };
  return Object.fromEntries(Object.entries(all).filter(([, source]) => existsSync(join(from, source))));
}

async function main(what: string | undefined): Promise<void> {
  const dist = join(root, 'dist');
  if (!existsSync(join(root, 'node_modules/esbuild'))) {
    // `npm ci --omit=dev` runs this too; a bundle that is there already serves.
    if (what !== 'cli' && existsSync(join(dist, 'luet-ts.js'))) return;
    throw new Error('esbuild is not installed: run `npm ci` (with development dependencies)');
  }
  // Two graphs, so that the command's start does not load chunks cut for the library.
  await bundle(root, dist, { 'luet-ts': 'src/cli/main.ts' });
  const library = libraryEntries(root);
  if (what === 'cli') return;
  if (Object.keys(library).length > 0) await bundle(root, dist, library);
  // What is packed or copied into an image from here holds nothing old.
  await removeStale(dist, Date.now(), 60_000);
  // npm runs this last after it has installed: scripts/run.sh learns from it that nothing is left to install.
  await copyFile(join(root, 'package-lock.json'), join(root, 'node_modules/.luet-ts-lock'));
}

if (import.meta.main) {
  try {
    await main(process.argv[2]);
  } catch (error) {
    process.stderr.write(
      `luet-ts: bundling failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
