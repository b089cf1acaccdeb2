import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { type BytePath, fromText, toBytes, toText } from '../tar/index.ts';
import { contextHash, type InputFile } from './key.ts';

/** The files that make a package are not part of its context. */
const own = new Set(['definition.yaml', 'collection.yaml', 'build.yaml', 'finalize.yaml']);

/** One file, folder or link beside a `build.yaml`. */
export interface ContextFile {
  /** Relative to the context. */
  readonly path: BytePath;
  readonly type: 'file' | 'directory' | 'symlink';
  /**
   * 0755 for folders and for files that their owner can execute, 0644 for other files, 0777 for links: checkouts of one
   * commit differ in the rest, by their umask and their tools.
   */
  readonly mode: number;
  /** Bytes; 0 for folders and links. */
  readonly size: number;
  /** SHA-256 of a file's content, in hexadecimal, or a link's target; empty for a folder. */
  readonly content: string;
}

/** A package's build context. */
export interface Context {
  /** Sorted by bytes. */
  readonly files: readonly ContextFile[];
  /** Hash of paths, types, contents and link targets. */
  readonly hash: string;
}

/** SHA-256 of a file, in hexadecimal. */
export async function digestOfFile(real: BytePath): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(toBytes(real))) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The absolute path of a context's file. */
export const realPath = (folder: string, { path }: Pick<ContextFile, 'path'>): BytePath =>
  `${fromText(folder)}/${path}`;

/**
 * Reads what lies in a package's folder. `isOutput` says of an absolute path whether a build writes it: such a path is not part
 * of the context. Rejects with an `Error` that names what is neither file, folder nor link.
 */
export async function readContext(
  folder: string,
  isOutput: (path: BytePath) => boolean = () => false,
): Promise<Context> {
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

/** A context's files as they count in a key. */
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
