import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { makeFolder } from '../../../disk/index.ts';
import type { Hold, OverlayForm, Store } from '../../../store/index.ts';
import { look } from '../../overlay/disk.ts';
import { type Network, networkFiles } from '../sandbox/runtime-files.ts';
import { copyMetadata } from './upper-tree.ts';

/**
 * These options make a former upper folder usable as a lower one, and an unmount quick: the disk is flushed
 * when the run ends. Devices of an image cannot be opened.
 */
const options = 'redirect_dir=nofollow,index=off,metacopy=off,xino=off,volatile,nosuid,nodev';

const text = (path: string): string => Buffer.from(path, 'utf8').toString('latin1');

/** The attribute with which a folder of a layer hides what is below it. */
export const opaqueName = (form: OverlayForm): string => `${form}.overlay.opaque`;

/** A folder that a stack is mounted from, and what else its workspace needs. */
export interface StackFolder {
  readonly path: string;
  /** What its network files were when they were written, in the order of `mountedFiles`. */
  marks: readonly string[];
}

/**
 * Folders for stacks, used again by one workspace after the other: creating many files for each package takes
 * long.
 */
export class StackFolders {
  readonly #fresh: () => string;
  readonly #free: StackFolder[] = [];

  /** `fresh` returns the path of a folder to create. */
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

  /** Takes a folder back, in which nothing is mounted and no command runs. */
  giveBack(folder: StackFolder): void {
    this.#free.push(folder);
  }
}

/**
 * Differs after a file was written, or its rights or attributes were changed; as exact as the clock's ticks.
 */
function markOf(file: string): string {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.ctimeNs} ${stat.mode} ${stat.uid} ${stat.gid}`;
}

/**
 * A stack of layers, ready to be mounted. The lowest layer has places for mounts, so that these are not
 * created in the upper folder.
 */
export class Stack {
  readonly folder: string;
  readonly #upper: string;
  readonly #form: OverlayForm;
  readonly #links: string;
  readonly #hold: Hold;
  readonly #work: string[] = [];

  /**
   * `lowers` are the image's layers, highest first; `places` is the folder that `makePlaces` filled. All of
   * them lie in the store.
   */
  constructor(store: Store, folder: string, upper: string, lowers: readonly string[], places: string) {
    this.folder = folder;
    this.#upper = upper;
    this.#form = store.form;
    this.#links = store.holds.folder;
    this.#hold = store.holds.hold([...lowers, places]);
    // The root of the upper folder is the root of the workspace.
    const stat = lowers[0] === undefined ? undefined : look(text(lowers[0]));
    if (stat !== undefined) copyMetadata(text(upper), stat);
  }

  /** The folder in which the mounted stack is visible. */
  get merged(): string {
    return join(this.folder, 'm');
  }

  /** Shell text that mounts the stack with a new work folder. */
  mount(): string {
    const work = `k${this.#work.length}`;
    mkdirSync(join(this.folder, work), { mode: 0o700 });
    this.#work.push(work);
    // The folder of links and that of the stack have the same parent; names of links are digits and letters.
    const upper = relative(this.#links, this.#upper);
    return this.#mount(`upperdir=${upper},workdir=../${basename(this.folder)}/${work},${options}`);
  }

  /** Shell text that mounts only the layers, for reading. */
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

  /** Releases the layers and removes work folders. Nothing may be mounted any more. */
  close(): void {
    this.#hold.release();
    for (const work of this.#work) rmSync(join(this.folder, work), { recursive: true, force: true });
  }
}

/** The files that are mounted in `/etc` while a command runs. */
export const mountedFiles = ['hosts', 'hostname', 'resolv.conf'] as const;

/** Creates a layer with the places for mounts. */
export function makePlaces(folder: string): void {
  for (const name of ['', 'dev', 'proc', 'sys', 'etc']) {
    makeFolder(join(folder, name), 0o755);
  }
  for (const name of mountedFiles) writeFileSync(join(folder, 'etc', name), '', { mode: 0o644 });
}
