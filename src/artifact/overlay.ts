import { ArchiveError, type BytePath, type Entry } from '../tar/index.ts';

/** Where content lies: which of the archives, and which of its entries, counted from 0. */
export interface Origin {
  readonly archive: number;
  readonly entry: number;
}

/** What a path is: names that are one file share one. */
export interface Inode {
  /** The entry that made it; its path is the name that it had then. */
  readonly entry: Entry;
  /** Undefined for a directory that no archive has. */
  readonly origin: Origin | undefined;
}

interface Node {
  inode: Inode;
  /** What is in a directory; undefined for everything else. */
  children: Map<string, Node> | undefined;
}

/** A file tree that archives are unpacked into, without their content. */
export interface Overlay {
  /** Unpacks one entry over what is there. Throws an ArchiveError where a hard link's target is not there. */
  add(entry: Entry, origin: Origin): void;
  /** Every path and what it is, sorted by bytes. */
  list(): { path: BytePath; inode: Inode }[];
}

/**
 * An empty file tree. What comes later replaces what was there: a directory over a directory takes its metadata
 * and keeps the content; anything else over a directory removes what was in it. Links are never followed: a path
 * through a symbolic link turns the link into a directory.
 */
export function createOverlay(): Overlay {
  const root: Node = { inode: implied(''), children: new Map() };

  /** The content of the directory that a path lies in, made one where it is none. */
  function folderOf(path: BytePath): Map<string, Node> {
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

  function find(path: BytePath): Node | undefined {
    let node: Node | undefined = root;
    for (const part of path.split('/')) node = node?.children?.get(part);
    return node;
  }

  return {
    add(entry, origin) {
      const { path, type } = entry;
      if (path === '') return;
      const inode = type === 'hardlink' ? targetOf(entry, find(entry.link ?? '')) : { entry, origin };
      const folder = folderOf(path);
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
      // Not recursive: nothing but its length limits how deep a path goes.
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

/** What a hard link is a further name of. */
function targetOf(entry: Entry, target: Node | undefined): Inode {
  if (target !== undefined && target.children === undefined) return target.inode;
  throw new ArchiveError(
    `${JSON.stringify(entry.path)} is a link to ${JSON.stringify(entry.link)}, which is no file`,
  );
}

/** A directory that archives have things in without having it. */
const implied = (path: BytePath): Inode => ({
  entry: { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 },
  origin: undefined,
});

const lastPart = (path: BytePath): string => path.slice(path.lastIndexOf('/') + 1);

function childrenOf(node: Node): Map<string, Node> {
  if (node.children === undefined) throw new Error('not a directory');
  return node.children;
}
