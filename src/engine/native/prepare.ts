import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BytePath } from '../../tar/index.ts';
import { EngineError, NoShellError } from '../types.ts';
import { envPaths } from './inside.ts';
import { fromPath } from './native-workspace.ts';
import { mountedFiles } from './stack.ts';
import type { UpperTree } from './upper-tree.ts';

/** What of a root has to be known to run a command in it. */
export interface PreparedRoot {
  /** The folder that it begins in, as it sees that. */
  readonly folder: string;
  /** Files of this machine that lie over paths of the root. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** Where the image has `env`. */
  readonly env: string | undefined;
}

/**
 * Makes the folder of commands, and finds where files are mounted, which lie in the folder `from`: no link of the image's may lead these elsewhere. Throws
 * an `EngineError` where the image has something else in the place of a folder.
 */
export function prepareRoot(tree: UpperTree, folder: BytePath, from: string): PreparedRoot {
  for (const name of ['dev', 'proc', 'sys'])
    if (!tree.find(name)?.stat.isDirectory())
      throw new EngineError(`the image's /${name} is not a folder, so nothing can run in it`);
  const files: { from: string; to: string }[] = [];
  for (const name of mountedFiles) {
    const target = tree.resolve(`etc/${name}`);
    if (target.stat === undefined) {
      const slot = tree.slot(target.path);
      tree.clear(slot);
      writeFileSync(Buffer.from(slot.real, 'latin1'), '', { mode: 0o644 });
    } else if (!target.stat.isFile()) continue;
    files.push({ from: join(from, name), to: `/${fromPath(target.path)}` });
  }
  const env = envPaths.find((path) => tree.resolve(path.slice(1)).stat?.isFile());
  return { folder: `/${fromPath(tree.enter(folder).path)}`, files, env };
}

/** Whether everything that `prepareRoot` sees to is there, so that it would change nothing. */
export function isRootPrepared(tree: UpperTree, folder: BytePath): boolean {
  return (
    tree.isRaised(folder) && mountedFiles.every((name) => tree.resolve(`etc/${name}`).stat !== undefined)
  );
}

/** Whether a root has the shell that commands are run by, looked for until it is there: it may be brought by an upload. */
export class ShellCheck {
  readonly #image: string;
  #isThere = false;

  constructor(image: string) {
    this.#image = image;
  }

  /** Throws a `NoShellError` where the root has no shell. */
  check(tree: UpperTree): void {
    this.#isThere ||= tree.resolve('bin/sh').stat?.isFile() === true;
    if (!this.#isThere) throw new NoShellError(this.#image);
  }
}
