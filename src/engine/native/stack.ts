import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { makeFolder } from '../../disk/index.ts';
import { look } from '../overlay/disk.ts';
import { type Network, networkFiles } from './runtime-files.ts';
import type { Hold } from './store/holds.ts';
import type { OverlayForm, Store } from './store/store.ts';
import { copyMetadata } from './upper-tree.ts';

/** What makes a former upper folder a sound lower one, and an unmount quick: the disk is waited for at the end of a run. Devices of an image mean nothing. */
const options = 'redirect_dir=nofollow,index=off,metacopy=off,xino=off,volatile,nosuid,nodev';

const text = (path: string): string => Buffer.from(path, 'utf8').toString('latin1');

/** The name of the attribute with which a folder of a layer hides what is below it. */
export const opaqueName = (form: OverlayForm): string => `${form}.overlay.opaque`;

/** A folder that a stack is mounted from, and what else its workspace needs. */
export interface StackFolder {
  readonly path: string;
  /** What its files of the network were when they were written, in the order of `mountedFiles`. */
  marks: readonly string[];
}

/** Folders for stacks. One workspace after the other has the same, because many files a package are dear to make. */
export class StackFolders {
  readonly #fresh: () => string;
  readonly #free: StackFolder[] = [];

  /** `fresh` gives the path of a folder to be made. */
  constructor(fresh: () => string) {
    this.#fresh = fresh;
  }

  /** A folder with the files that are mounted in `/etc`, as this program writes them. */
  take(network: Network): StackFolder {
    const folder = this.#free.pop() ?? { path: this.#make(), marks: [] };
    const contents = networkFiles(network);
    folder.marks = mountedFiles.map((name, i) => {
      const file = join(folder.path, name);
      const content = contents[name] ?? '';
      // A command may have written it.
      if (folder.marks[i] === markOf(file) && readFileSync(file, 'utf8') === content) return folder.marks[i];
      rmSync(file, { force: true });
      writeFileSync(file, content, { mode: 0o644 });
      return markOf(file);
    });
    return folder;
  }

  #make(): string {
    const path = this.#fresh();
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** Takes back a folder in which nothing is mounted and no command runs. */
  giveBack(folder: StackFolder): void {
    this.#free.push(folder);
  }
}

/** Differs when a file was written, or given other rights or attributes; told in the clock's ticks. */
function markOf(file: string): string {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.ctimeNs} ${stat.mode} ${stat.uid} ${stat.gid}`;
}

/**
 * A stack of layers, ready to be mounted. The lowest is one of our own that has the places at which something is mounted, so that these are not
 * made in the upper folder.
 */
export class Stack {
  readonly folder: string;
  readonly #upper: string;
  readonly #form: OverlayForm;
  readonly #links: string;
  readonly #hold: Hold;
  readonly #work: string[] = [];

  /** `lowers` are the image's layers, highest first; `places` is the folder that `makePlaces` filled. All lie in the store. */
  constructor(store: Store, folder: string, upper: string, lowers: readonly string[], places: string) {
    this.folder = folder;
    this.#upper = upper;
    this.#form = store.form;
    this.#links = store.holds.folder;
    this.#hold = store.holds.hold([...lowers, places]);
    // The upper folder's root is the root's own.
    const stat = lowers[0] === undefined ? undefined : look(text(lowers[0]));
    if (stat !== undefined) copyMetadata(text(upper), stat);
  }

  /** Where the stack is seen once it is mounted. */
  get merged(): string {
    return join(this.folder, 'm');
  }

  /** Shell text that mounts the stack, with a work folder that is used once. */
  mount(): string {
    const work = `k${this.#work.length}`;
    mkdirSync(join(this.folder, work), { mode: 0o700 });
    this.#work.push(work);
    // The links' folder and the stack's lie beside each other; layers are told by numbers and letters.
    const upper = relative(this.#links, this.#upper);
    return this.#mount(`upperdir=${upper},workdir=../${basename(this.folder)}/${work},${options}`);
  }

  /** Shell text that mounts the layers alone, to be read. */
  mountLowers(): string {
    return this.#mount('ro,redirect_dir=nofollow,metacopy=off');
  }

  #mount(how: string): string {
    makeFolder(this.merged, 0o755);
    const form = this.#form === 'user' ? ',userxattr' : '';
    const at = basename(this.folder);
    const words = `${how}${form},lowerdir=${this.#hold.names.join(':')}`;
    return `cd ../${basename(this.#links)} && mount -t overlay luet -o ${words} ../${at}/m && cd ../${at} && `;
  }

  /** Lets go of the layers, and removes work folders. Nothing is mounted any more. */
  close(): void {
    this.#hold.release();
    for (const work of this.#work) rmSync(join(this.folder, work), { recursive: true, force: true });
  }
}

/** What is mounted in a running command's `/etc`. */
export const mountedFiles = ['hosts', 'hostname', 'resolv.conf'] as const;

/** Makes a layer of the places at which something is mounted. */
export function makePlaces(folder: string): void {
  for (const name of ['', 'dev', 'proc', 'sys', 'etc']) {
    makeFolder(join(folder, name), 0o755);
  }
  for (const name of mountedFiles) writeFileSync(join(folder, 'etc', name), '', { mode: 0o644 });
}
