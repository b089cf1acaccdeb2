import { isUtf8 } from 'node:buffer';
import { type Dirent, readdirSync } from 'node:fs';
import type { Diagnostic } from '../diagnostic/index.ts';
import { fileProblem } from './files.ts';

/**
 * Reports folders whose names are not UTF-8 if they contain packages: such folders cannot be reached by a
 * path.
 */
export function oddFolders(
  folder: { readonly path: string; readonly shown: string },
  dockerfiles: boolean,
): Diagnostic[] {
  return list(Buffer.from(folder.path)).flatMap((entry) => {
    if (!entry.isDirectory() || isUtf8(entry.name)) return [];
    if (!holdsPackages(join(Buffer.from(folder.path), entry.name), dockerfiles)) return [];
    const shown = `${folder.shown === '' ? '' : `${folder.shown}/`}${entry.name}`;
    const message = 'the name of this folder is not UTF-8, so its packages are ignored';
    return [{ ...fileProblem('not-utf8', shown, message), hint: 'Rename the folder' }];
  });
}

function list(folder: Buffer): readonly Dirent<Buffer>[] {
  try {
    return readdirSync(folder, { withFileTypes: true, encoding: 'buffer' });
  } catch {
    // An unreadable folder is reported by the main walk.
    return [];
  }
}

const join = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, Buffer.from('/'), name]);

function holdsPackages(top: Buffer, dockerfiles: boolean): boolean {
  const makers = ['definition.yaml', 'collection.yaml'];
  const stack = [top];
  for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
    for (const entry of list(folder)) {
      const name = entry.name.toString();
      if (makers.includes(name) || (dockerfiles && name.includes('Dockerfile'))) return true;
      if (entry.isDirectory() && name !== '.git' && name !== 'templates')
        stack.push(join(folder, entry.name));
    }
  }
  return false;
}
