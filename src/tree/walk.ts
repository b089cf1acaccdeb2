import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { type Diagnostic, nearest } from '../diagnostic/index.ts';
import { fileProblem, isInside, reason } from './files.ts';
import { oddFolders } from './odd-folders.ts';

/** The files that define packages. */
const SPEC_FILES = [
  'definition.yaml',
  'collection.yaml',
  'build.yaml',
  'finalize.yaml',
  'Dockerfile',
] as const;

/** The name of a file that defines packages. */
export type SpecFile = (typeof SPEC_FILES)[number];

const isSpecFile = (name: string): name is SpecFile => (SPEC_FILES as readonly string[]).includes(name);

/** A folder that contains one or more packages. */
export interface PackageFolder {
  /** Absolute path. */
  readonly path: string;
  /** The path as shown to users. */
  readonly shown: string;
  /** The spec files of the folder and their types. */
  readonly files: ReadonlyMap<SpecFile, SpecFileKind>;
  /** Name of its Dockerfile, if it differs from `Dockerfile`. */
  readonly dockerfile?: string;
}

/** Type of a directory entry with the name of a spec file. `other` entries are never opened. */
export type SpecFileKind = 'file' | 'link' | 'other';

/** A folder that the walk has not visited yet. */
interface PendingFolder {
  readonly path: string;
  readonly shown: string;
  /** Whether it is inside a package folder, and so is probably part of a build context. */
  readonly inPackage: boolean;
}

/** A shared template file. */
export interface TemplateFile {
  readonly path: string;
  readonly shown: string;
  readonly link: boolean;
}

/** The content of one tree. */
export interface Walked {
  /** The root as given. */
  readonly root: string;
  /** The root as an absolute path without symbolic links. */
  readonly real: string;
  /** Sorted by path. */
  readonly folders: readonly PackageFolder[];
  readonly templates: readonly TemplateFile[];
  readonly problems: readonly Diagnostic[];
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A path as shown to users: relative to `cwd` if it is inside it or was given as a relative path. */
function showRoot(root: string, cwd: string): string {
  if (!isAbsolute(root)) return join(root);
  return isInside(root, cwd) ? relative(cwd, root) : root;
}

/**
 * Finds the packages and shared templates of a tree. Does not follow symbolic links to folders, so that the
 * walk ends and each package has one folder. Ignores `.git`. Folders named `templates` contain shared
 * templates only.
 */
export function walkTree(root: string, cwd: string, dockerfiles: boolean): Walked {
  const top = resolve(cwd, root);
  const shown = showRoot(root, cwd);
  const problems: Diagnostic[] = [];
  const folders: PackageFolder[] = [];
  const templates: TemplateFile[] = [];
  const alike = new Map<string, PackageFolder['files']>();
  let real = top;
  try {
    real = realpathSync.native(top);
    if (!statSync(real).isDirectory()) throw new Error('it is not a folder');
  } catch (error) {
    const message = `cannot read tree ${JSON.stringify(root)}: ${reason(error)}`;
    return { root, real, folders, templates, problems: [fileProblem('no-tree', shown || '.', message)] };
  }
  const stack: PendingFolder[] = [{ path: top, shown: shown === '.' ? '' : shown, inPackage: false }];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const entries = list(at, problems);
    const files = new Map<SpecFile, SpecFileKind>();
    const below: PendingFolder[] = [];
    let odd = false;
    const inPackage =
      at.inPackage || entries.some(({ name }) => /^(?:definition|collection)\.yaml$/.test(name));
    for (const entry of entries) {
      const { name } = entry;
      const inner = { path: joinPath(at.path, name), shown: joinPath(at.shown, name), inPackage };
      if (isSpecFile(name) && (name !== 'Dockerfile' || dockerfiles)) {
        files.set(name, kindOf(entry));
      } else if (entry.isDirectory()) {
        if (name.includes('\ufffd') && !existsSync(inner.path)) {
          odd = true;
        } else if (name === 'templates') templates.push(...templateFiles(inner, problems));
        else if (name !== '.git') below.push(inner);
      } else if (entry.isSymbolicLink() && leadsToPackage(inner.path, real)) {
        const message =
          'symbolic links to folders are not followed, so the package in this folder is ignored';
        problems.push({ ...fileProblem('linked-folder', inner.shown, message), severity: 'warning' });
      }
    }
    const dockerfile = dockerfiles ? otherDockerfile(at, entries, files, problems) : undefined;
    if (dockerfile !== undefined) files.set('Dockerfile', kindOf(dockerfile));
    stack.push(...below.reverse());
    if (odd) problems.push(...oddFolders(at, dockerfiles));
    if (isPackage(files, dockerfiles))
      folders.push({
        path: at.path,
        shown: at.shown,
        files: sharedFiles(files, alike),
        ...(dockerfile === undefined ? {} : { dockerfile: dockerfile.name }),
      });
    else if (files.has('build.yaml')) {
      const meant = entries.find(({ name }) => isMisspelled(name));
      if (meant === undefined) continue;
      const message = 'this folder has a build.yaml, but no definition.yaml or collection.yaml';
      const hint = 'Correct the file name, or add a suffix such as .disabled to the correct name';
      problems.push({ ...fileProblem('misnamed-file', joinPath(at.shown, meant.name), message), hint });
    }
  }
  return { root, real, folders, templates, problems };
}

const kindOf = (entry: Dirent): SpecFileKind =>
  entry.isFile() ? 'file' : entry.isSymbolicLink() ? 'link' : 'other';

/**
 * Finds a Dockerfile with another name, as Luet does: a file whose name contains `Dockerfile`, such as
 * `Dockerfile.arm64`. Of several, the first one is used, with a warning.
 */
function otherDockerfile(
  folder: PendingFolder,
  entries: readonly Dirent[],
  files: ReadonlyMap<SpecFile, unknown>,
  problems: Diagnostic[],
): Dirent | undefined {
  if (files.has('Dockerfile') || files.has('build.yaml')) return undefined;
  const found = entries.filter(
    (one) => one.name.includes('Dockerfile') && !one.name.endsWith('.dockerignore') && !one.isDirectory(),
  );
  const [first, ...others] = found;
  if (first !== undefined && others.length > 0) {
    const message = `the folder has several Dockerfiles; ${JSON.stringify(first.name)} is used`;
    const hint = 'Rename the one to use to Dockerfile';
    const problem = fileProblem('several-dockerfiles', joinPath(folder.shown, first.name), message);
    problems.push({ ...problem, severity: 'warning', hint });
  }
  return first;
}

/** The spec files of a folder. Folders with the same files share one map, to save memory. */
function sharedFiles(
  files: PackageFolder['files'],
  alike: Map<string, PackageFolder['files']>,
): PackageFolder['files'] {
  const key = [...files].join(' ');
  const known = alike.get(key);
  if (known === undefined) alike.set(key, files);
  return known ?? files;
}

const DEFINITIONS = ['definition.yaml', 'collection.yaml'];

/**
 * Whether a file name is probably a misspelled spec file name. A correct name with a suffix was disabled on
 * purpose.
 */
function isMisspelled(name: string): boolean {
  if (DEFINITIONS.some((right) => name.includes(right))) return false;
  return nearest(name.replace(/\.(?:yml|json)$/, '.yaml'), DEFINITIONS) !== undefined;
}

function isPackage(files: ReadonlyMap<SpecFile, unknown>, dockerfiles: boolean): boolean {
  return (
    files.has('definition.yaml') ||
    files.has('collection.yaml') ||
    (dockerfiles && files.has('Dockerfile') && !files.has('build.yaml'))
  );
}

/** `path.join` for a clean folder and a plain name, ten times as fast. */
function joinPath(folder: string, name: string): string {
  return folder === '' ? name : folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

function list(folder: { path: string; shown: string }, problems: Diagnostic[]): readonly Dirent[] {
  try {
    const entries = readdirSync(folder.path, { withFileTypes: true });
    return entries.sort((a, b) => compareText(a.name, b.name));
  } catch (error) {
    const message = `cannot read this folder: ${reason(error)}`;
    problems.push(fileProblem('unreadable', folder.shown || '.', message));
    return [];
  }
}

/** Shared template files of a folder. */
export function templateFiles(
  folder: { path: string; shown: string },
  problems: Diagnostic[],
): TemplateFile[] {
  const found: TemplateFile[] = [];
  for (const entry of list(folder, problems)) {
    if (!entry.name.endsWith('.yaml') || !(entry.isFile() || entry.isSymbolicLink())) continue;
    found.push({
      path: joinPath(folder.path, entry.name),
      shown: joinPath(folder.shown, entry.name),
      link: entry.isSymbolicLink(),
    });
  }
  return found;
}

/** Whether a link leads to a package folder that the walk does not reach in another way. */
function leadsToPackage(path: string, root: string): boolean {
  try {
    const real = realpathSync.native(path);
    if (isInside(real, root)) return false;
    return DEFINITIONS.some(
      (name) => statSync(joinPath(real, name), { throwIfNoEntry: false })?.isFile() === true,
    );
  } catch {
    return false;
  }
}
