import { ArchiveError, type BytePath, type Entry } from '../tar/index.ts';

/** Where content is: the archive and the entry in it, both counted from 0. */
export interface ContentOrigin {
  readonly archive: number;
  readonly entry: number;
}

/** The file at a path. All names of a file share one inode. */
export interface Inode {
  /** The entry that created it. Its path is the original name. */
  readonly entry: Entry;
  /** Undefined for a folder that is in no archive. */
  readonly origin: ContentOrigin | undefined;
}

interface OverlayNode {
  inode: Inode;
  /** The content of a folder; undefined for everything else. */
  children: Map<string, OverlayNode> | undefined;
}

/** A file tree to which archives are extracted, without file content. */
export interface Overlay {
  /** Extracts one entry. Throws an ArchiveError if the target of a hard link does not exist. */
  add(entry: Entry, origin: ContentOrigin): void;
  /** All paths and their files, sorted by bytes. */
  list(): { path: BytePath; inode: Inode }[];
}

/**
 * Creates an empty file tree. Later entries replace earlier ones: a folder over a folder changes its metadata
 * and keeps the content; anything else over a folder removes its content. Links are never followed: a
 * symbolic link in the middle of a path is replaced by a folder.
 */
export function createOverlay(): Overlay {
  const root: OverlayNode = { inode: implied(''), children: new Map() };

  return {
    add(entry, origin) {
      const { path, type } = entry;
      if (path === '') return;
      const inode = type === 'hardlink' ? targetOf(entry, find(root, entry.link ?? '')) : { entry, origin };
      const folder = folderOf(root, path);
      const name = lastPart(path);
      const old = folder.get(name);
      if (old === undefined)
        folder.set(name, { inode, children: type === 'directory' ? new Map() : undefined });
      else {
        old.inode = inode;
        old.children = type === 'directory' ? (old.children ?? new Map()) : undefined;
      }
    },
    list() {
      const found: { path: BytePath; inode: Inode }[] = [];
      // Not recursive, because paths can have very many parts.
      const open = [{ content: childrenOf(root), prefix: '' }];
      for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
        for (const [name, { inode, children }] of folder.content) {
          const path = folder.prefix + name;
          found.push({ path, inode });
          if (children !== undefined) open.push({ content: children, prefix: `${path}/` });
        }
      }
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
  };
}

/** The content of the parent folder of a path. Anything in the way is replaced by a folder. */
function folderOf(root: OverlayNode, path: BytePath): Map<string, OverlayNode> {
  let content = childrenOf(root);
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const parent = path.slice(0, slash);
    const name = lastPart(parent);
    let node = content.get(name);
    if (node?.children === undefined) {
      node = { inode: implied(parent), children: new Map() };
      content.set(name, node);
    }
    content = childrenOf(node);
  }
  return content;
}

function find(root: OverlayNode, path: BytePath): OverlayNode | undefined {
  let node: OverlayNode | undefined = root;
  for (const part of path.split('/')) node = node?.children?.get(part);
  return node;
}

/** The file that a hard link refers to. */
function targetOf(entry: Entry, target: OverlayNode | undefined): Inode {
  if (target !== undefined && target.children === undefined) return target.inode;
  throw new ArchiveError(
    `${JSON.stringify(entry.path)} is a hard link to ${JSON.stringify(entry.link)}, which is not a file`,
  );
}

/** A folder that contains entries but has no entry itself. */
const implied = (path: BytePath): Inode => ({
  entry: { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 },
  origin: undefined,
});

const lastPart = (path: BytePath): string => path.slice(path.lastIndexOf('/') + 1);

function childrenOf(node: OverlayNode): Map<string, OverlayNode> {
  if (node.children === undefined) throw new Error('not a directory');
  return node.children;
}
