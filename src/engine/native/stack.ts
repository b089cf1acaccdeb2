import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { look } from '../overlay/disk.ts';
import type { OverlayForm } from './store/store.ts';
import { copyMetadata } from './upper-tree.ts';

/** What makes a former upper folder a sound lower one, and an unmount quick: the disk is waited for at the end of a run. Devices of an image mean nothing. */
const options = 'redirect_dir=nofollow,index=off,metacopy=off,xino=off,volatile,nosuid,nodev';

const text = (path: string): string => Buffer.from(path, 'utf8').toString('latin1');

/** The name of the attribute with which a folder of a layer hides what is below it. */
export const opaqueName = (form: OverlayForm): string => `${form}.overlay.opaque`;

/**
 * Folders of a stack of layers, ready to be mounted from `folder`: by numbered links, because the kernel takes one page of options. The
 * lowest is one of our own that has the places at which something is mounted, so that these are not made in the upper folder.
 */
export class Stack {
  readonly folder: string;
  readonly upper: string;
  /** The image's layers, highest first. */
  readonly lowers: readonly string[];
  readonly #form: OverlayForm;
  readonly #names: string;
  #count = 0;

  /** `folder` is made; `upper` is there; `places` is the folder that `makePlaces` filled. */
  constructor(folder: string, upper: string, lowers: readonly string[], places: string, form: OverlayForm) {
    this.folder = folder;
    this.upper = upper;
    this.lowers = lowers;
    this.#form = form;
    mkdirSync(folder, { mode: 0o700 });
    symlinkSync(upper, join(folder, 'u'));
    const all = [...lowers, places];
    for (const [i, lower] of all.entries()) symlinkSync(lower, join(folder, String(i)));
    this.#names = all.map((_, i) => i).join(':');
    // The upper folder's root is the root's own.
    const stat = lowers[0] === undefined ? undefined : look(text(lowers[0]));
    if (stat !== undefined) copyMetadata(text(upper), stat);
  }

  /** Where the stack is seen once it is mounted. */
  get merged(): string {
    return join(this.folder, 'm');
  }

  /** Shell text that mounts the stack, from its folder, with a work folder that is used once. */
  mount(): string {
    mkdirSync(this.merged, { recursive: true, mode: 0o755 });
    const work = `k${this.#count++}`;
    mkdirSync(join(this.folder, work), { mode: 0o700 });
    const form = this.#form === 'user' ? ',userxattr' : '';
    return `mount -t overlay luet -o upperdir=u,workdir=${work},${options}${form},lowerdir=${this.#names} m && `;
  }

  /** Shell text that mounts the layers alone, to be read. */
  mountLowers(): string {
    mkdirSync(this.merged, { recursive: true, mode: 0o755 });
    const form = this.#form === 'user' ? ',userxattr' : '';
    return `mount -t overlay luet -o ro,redirect_dir=nofollow,metacopy=off${form},lowerdir=${this.#names} m && `;
  }
}

/** What is mounted in a running command's `/etc`. */
export const mountedFiles = ['hosts', 'hostname', 'resolv.conf'] as const;

/** Makes a layer of the places at which something is mounted. */
export function makePlaces(folder: string): void {
  for (const name of ['', 'dev', 'proc', 'sys', 'etc']) {
    mkdirSync(join(folder, name), { recursive: true, mode: 0o755 });
  }
  for (const name of mountedFiles) writeFileSync(join(folder, 'etc', name), '', { mode: 0o644 });
}
