import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { type BytePath, fromText, toBytes, toText } from '../tar/index.ts';
import { contextHash, type InputFile } from './key.ts';

/** Spec files are not part of the context. */
const own = new Set(['definition.yaml', 'collection.yaml', 'build.yaml', 'finalize.yaml']);

/** A file, folder or link beside a `build.yaml`. */
export interface ContextFile {
  /** Path relative to the context. */
  readonly path: BytePath;
  readonly type: 'file' | 'directory' | 'symlink';
  /**
   * 0755 for folders and files that their owner can execute, 0644 for other files, 0777 for links. Other mode
   * bits depend on the umask and the tools of the checkout.
   */
  readonly mode: number;
  /** Size in bytes; 0 for folders and links. */
  readonly size: number;
  /** SHA-256 of a file's content in hexadecimal; a link's target; empty for a folder. */
  readonly content: string;
}

/** A package's build context. */
export interface BuildContext {
  /** Sorted by bytes. */
  readonly files: readonly ContextFile[];
  /** Hash of paths, types, contents and link targets. */
  readonly hash: string;
}

/** SHA-256 of a file in hexadecimal. */
export async function digestOfFile(real: BytePath): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(toBytes(real))) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The absolute path of a file of a context. */
export const realPath = (folder: string, { path }: Pick<ContextFile, 'path'>): BytePath =>
  `${fromText(folder)}/${path}`;

/**
 * Reads the files of a package's folder. `isOutput` says whether a build writes an absolute path; such paths
 * are left out. Rejects with an `Error` that names anything that is not a file, folder or link.
 */
export async function readContext(
  folder: string,
  isOutput: (path: BytePath) => boolean = () => false,
): Promise<BuildContext> {
  const files: ContextFile[] = [];
  const walk = async (path: BytePath, real: BytePath): Promise<void> => {
    for (const name of await readdir(toBytes(real), 'latin1')) {
      if ((path === '' && own.has(name)) || isOutput(`${real}/${name}`)) continue;
      const file = await contextFile(path === '' ? name : `${path}/${name}`, `${real}/${name}`);
      files.push(file);
      if (file.type === 'directory') await walk(file.path, `${real}/${name}`);
    }
  };
  await walk('', fromText(folder));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, hash: contextHash(inputFiles(files)) };
}

/** The files of a context in the form that is part of a key. */
export function inputFiles(files: readonly ContextFile[]): InputFile[] {
  return files.map(({ path, type, mode, content }) => ({
    path,
    type: type === 'file' && mode === 0o755 ? 'executable' : type,
    content,
  }));
}

async function contextFile(path: BytePath, real: BytePath): Promise<ContextFile> {
  const stat: Stats = lstatSync(toBytes(real));
  if (stat.isFile()) {
    const mode = (stat.mode & 0o100) === 0 ? 0o644 : 0o755;
    return { path, type: 'file', mode, size: stat.size, content: await digestOfFile(real) };
  }
  if (stat.isDirectory()) return { path, type: 'directory', mode: 0o755, size: 0, content: '' };
  if (stat.isSymbolicLink())
    return { path, type: 'symlink', mode: 0o777, size: 0, content: readlinkSync(toBytes(real), 'latin1') };
  throw new Error(`${toText(real)} is not a file, folder or symbolic link, and cannot be in a build context`);
}
