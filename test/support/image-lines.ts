import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FileEntry, Reader } from '../../src/engine/index.ts';
import { UpperSource } from '../../src/engine/overlay/upper.ts';
import { extractLayer } from '../../src/image/index.ts';

/** Runtimes make something in these when a container is created. */
const runtimes = /^(?:dev|etc|proc|run|sys)(?:\/|$)/;

/** A path and all of it that every engine keeps: times of folders are those of the last work in them. */
function lineOf({ path, type, mode, uid, gid, mtime, link = '' }: FileEntry, content: string): string {
  const time = type === 'directory' ? '' : mtime;
  return [path, type, type === 'symlink' ? '' : mode.toString(8), `${uid}:${gid}`, time, link, content].join(
    ' ',
  );
}

/** What lies in an image but for runtimes' folders, a line a path. */
export async function linesOf(
  from: Pick<Reader, 'read'> & {
    list(root: string): readonly FileEntry[] | Promise<readonly FileEntry[]>;
  },
): Promise<string[]> {
  const entries = (await from.list('')).filter(({ path }) => !runtimes.test(path));
  const files = entries.filter(({ type }) => type === 'file');
  const contents = new Map<string, string>();
  for await (const { file: one, content } of from.read(files)) {
    let text = '';
    for await (const chunk of content ?? []) text += Buffer.from(chunk).toString('latin1');
    contents.set(one.path, text);
  }
  return entries.map((entry) => lineOf(entry, contents.get(entry.path) ?? ''));
}

/** The same of layers that our own extraction lays over each other, in an empty folder. */
export async function extractedLines(
  layers: Iterable<AsyncIterable<Uint8Array>>,
  folder: string,
): Promise<string[]> {
  const [root, empty] = [join(folder, 'root'), join(folder, 'empty')];
  for (const made of [root, empty]) mkdirSync(made);
  for (const layer of layers) await extractLayer(layer, root);
  return await linesOf(new UpperSource({ upper: empty, lowers: [root] }, ''));
}
