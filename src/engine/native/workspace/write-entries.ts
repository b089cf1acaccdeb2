import { execFileSync, type StdioOptions } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  openSync,
  renameSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import type { SplitListener } from '../../../image/index.ts';
import {
  type BytePath,
  type Content,
  type Entry,
  type EntrySource,
  readContent,
  toBytes,
  toText,
} from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';
import { parentOf } from '../../overlay/layers.ts';
import type { Slot, UpperTree } from './upper-tree.ts';
import { giveAttribute } from './xattr.ts';

/**
 * Writes entries into the upper folder of a stack, as engines unpack an archive: later entries replace
 * earlier ones and what is there, but a folder stays where one is. Times of folders are set at the end, after
 * their content. `split` records where contents are.
 */
export async function writeEntries(
  tree: UpperTree,
  entries: EntrySource,
  split?: SplitListener,
): Promise<void> {
  const folders: { readonly real: BytePath; readonly mtime: number }[] = [];
  for await (const { entry, content } of entries) {
    const real = await placeOne(tree, entry, content, split);
    if (entry.type === 'directory') folders.push({ real, mtime: entry.mtime });
  }
  for (const { real, mtime } of folders.reverse()) lutimesSync(toBytes(real), mtime, mtime);
}

async function placeOne(
  tree: UpperTree,
  entry: Entry,
  content: Content | undefined,
  split: SplitListener | undefined,
): Promise<BytePath> {
  const { path, type } = entry;
  if (type === 'directory') {
    const slot = path === '' ? { path: '', real: tree.enter('').real, stat: undefined } : tree.slot(path);
    if (slot.stat?.isFile()) split?.lost();
    if (path !== '') tree.makeFolder(slot);
    finish(slot.real, entry);
    return slot.real;
  }
  const slot = tree.slot(path);
  // The target of a link must be found before what has the link's name is removed.
  const target = type === 'hardlink' ? await raised(tree, entry) : undefined;
  if (target === slot.real) return target;
  if (slot.stat?.isFile() || slot.stat?.isDirectory()) split?.lost();
  tree.clear(slot);
  const bytes = toBytes(slot.real);
  if (target !== undefined) linkSync(toBytes(target), bytes);
  else if (type === 'file') {
    split?.kept(slot.path);
    await write(slot.real, entry, content, scratchOf(tree));
  } else if (type === 'symlink') {
    symlinkSync(toBytes(entry.link ?? ''), bytes);
    finish(slot.real, entry);
  } else {
    makeNode(slot.real, entry);
    finish(slot.real, entry);
  }
  return slot.real;
}

/** The path in the upper folder of the file that a hard link names. */
async function raised(tree: UpperTree, { path, link = '' }: Entry): Promise<BytePath> {
  const found = tree.find(link);
  if (found === undefined || found.stat.isDirectory())
    throw new EngineError(`/${toText(path)} is to be a further name of /${toText(link)}, which is no file`);
  const slot: Slot = tree.slot(link);
  if (slot.stat !== undefined) return slot.real;
  const { stat, real } = found;
  if (!stat.isFile()) throw new EngineError(`/${toText(link)} below cannot be given a further name`);
  const entry: Entry = {
    path: link,
    type: 'file',
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    mtime: Math.floor(Number(stat.mtimeMs) / 1000),
  };
  await write(slot.real, entry, () => readContent(real), scratchOf(tree));
  return slot.real;
}

async function write(
  real: BytePath,
  entry: Entry,
  content: Content | undefined,
  scratch: string,
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(toBytes(real), flags, 0o600);
  try {
    const chunks = typeof content === 'function' ? content() : (content ?? []);
    for await (const chunk of chunks)
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at, chunk.length - at);
    owned(entry, () => fchownSync(fd, entry.uid, entry.gid));
    fchmodSync(fd, entry.mode);
    // After the owner: changing the owner removes capabilities.
    giveAttributes(real, entry, scratch);
    futimesSync(fd, entry.mtime, entry.mtime);
  } finally {
    closeSync(fd);
  }
}

/** A name beside the upper folder, through which attributes of a file are set whose own name is not text. */
const scratchOf = (tree: UpperTree): string => `${toText(parentOf(tree.enter('').real))}/attribute`;

function giveAttributes(real: BytePath, { type, xattrs = new Map() }: Entry, scratch?: string): void {
  const place = { path: real, isFolder: type === 'directory', ...(scratch === undefined ? {} : { scratch }) };
  for (const [name, value] of xattrs) if (isKept(name)) giveAttribute(place, name, value);
}

/** Sets the owner, mode, attributes and time of what was created. */
function finish(real: BytePath, entry: Entry): void {
  const bytes = toBytes(real);
  owned(entry, () => lchownSync(bytes, entry.uid, entry.gid));
  if (entry.type === 'symlink') {
    lutimesSync(bytes, entry.mtime, entry.mtime);
    return;
  }
  chmodSync(bytes, entry.mode);
  if (entry.type === 'directory') giveAttributes(real, entry);
  lutimesSync(bytes, entry.mtime, entry.mtime);
}

/** Whether engines keep an attribute. Those of overlays would mean something else here. */
const isKept = (name: string): boolean => name === 'security.capability';

function owned({ path, uid, gid }: Entry, give: () => void): void {
  try {
    give();
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code !== 'EINVAL' &&
      (error as NodeJS.ErrnoException).code !== 'EPERM'
    )
      throw error;
    throw new EngineError(
      `/${toText(path)} belongs to ${uid}:${gid}, and this user has no such id to give: without root, a range of ids (/etc/subuid, /etc/subgid, newuidmap) is needed`,
      { cause: error },
    );
  }
}

/** Creates pipes and devices, which Node cannot do itself. */
function makeNode(real: BytePath, { type, path, device }: Entry): void {
  const words =
    type === 'fifo' ? ['p'] : [type === 'block' ? 'b' : 'c', String(device?.major), String(device?.minor)];
  // Arguments are text, but names are bytes: the node gets a plain name in its open folder, and is renamed.
  const at = real.lastIndexOf('/');
  const folder = openSync(toBytes(real.slice(0, at)), constants.O_RDONLY | constants.O_DIRECTORY);
  const plain = '.luet-ts-node';
  try {
    const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', folder];
    execFileSync('mknod', [`/proc/self/fd/3/${plain}`, ...words], { stdio });
    renameSync(toBytes(`${real.slice(0, at)}/${plain}`), toBytes(real));
  } catch (error) {
    throw new EngineError(`/${toText(path)} is a ${type}, which cannot be made here`, { cause: error });
  } finally {
    closeSync(folder);
  }
}
