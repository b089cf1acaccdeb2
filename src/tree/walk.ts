import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { type Diagnostic, nearest } from '../diagnostic/index.ts';
import { fileProblem, isInside, reason } from './files.ts';
import { oddFolders } from './odd-folders.ts';

/** The files that make packages of a folder. */
const SPEC_FILES = [
  'definition.yaml',
  'collection.yaml',
  'build.yaml',
  'finalize.yaml',
  'Dockerfile',
] as const;

/** Name of a file that makes a package of its folder. */
export type SpecFile = (typeof SPEC_FILES)[number];

const isSpecFile = (name: string): name is SpecFile => (SPEC_FILES as readonly string[]).includes(name);

/** A folder that is a package, or several. */
export interface PackageFolder {
  /** Absolute path. */
  readonly path: string;
  /** The path as it is shown. */
  readonly shown: string;
  /** Which of the spec files it has, and what each is. */
  readonly files: ReadonlyMap<SpecFile, SpecFileKind>;
  /** The name of its Dockerfile, where that is another than `Dockerfile`. */
  readonly dockerfile?: string;
}

/** What bears the name of a spec file: a regular file, a symbolic link, or anything else, which is never opened. */
export type SpecFileKind = 'file' | 'link' | 'other';

/** A folder that is still to be looked into. */
interface Folder {
  readonly path: string;
  readonly shown: string;
  /** Whether it lies in a package's folder, and so is most likely part of its build context. */
  readonly inPackage: boolean;
}

/** A shared template file. */
export interface TemplateFile {
  readonly path: string;
  readonly shown: string;
  readonly link: boolean;
}

/** What was found under one root. */
export interface Walked {
  /** The root as given. */
  readonly root: string;
  /** The root, absolute and free of symbolic links. */
  readonly real: string;
  /** In the order of their paths. */
  readonly folders: readonly PackageFolder[];
  readonly templates: readonly TemplateFile[];
  readonly problems: readonly Diagnostic[];
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A path as it is shown: relative to `cwd` where it lies in it or was given so. */
function showRoot(root: string, cwd: string): string {
  if (!isAbsolute(root)) return join(root);
  return isInside(root, cwd) ? relative(cwd, root) : root;
}

/**
 * Finds what a tree holds. Symbolic links to folders are not followed, so that a walk ends and each package has
 * one folder; `.git` is not looked into; folders named `templates` hold shared templates and nothing else.
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
    if (!statSync(real).isDirectory()) throw new Error('it is no folder');
  } catch (error) {
    const message = `the tree ${JSON.stringify(root)} cannot be read: ${reason(error)}`;
    return { root, real, folders, templates, problems: [fileProblem('no-tree', shown || '.', message)] };
  }
  const stack: Folder[] = [{ path: top, shown: shown === '.' ? '' : shown, inPackage: false }];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const entries = list(at, problems);
    const files = new Map<SpecFile, SpecFileKind>();
    const below: Folder[] = [];
    let odd = false;
    const inPackage =
      at.inPackage || entries.some(({ name }) => /^(?:definition|collection)\.yaml$/.test(name));
    for (const entry of entries) {
      const { name } = entry;
      const inner = { path: join1(at.path, name), shown: join1(at.shown, name), inPackage };
      if (isSpecFile(name) && (name !== 'Dockerfile' || dockerfiles)) {
        files.set(name, kindOf(entry));
      } else if (entry.isDirectory()) {
        if (name.includes('\ufffd') && !existsSync(inner.path)) {
          odd = true;
        } else if (name === 'templates') templates.push(...templateFiles(inner, problems));
        else if (name !== '.git') below.push(inner);
      } else if (entry.isSymbolicLink() && leadsToPackage(inner.path, real)) {
        const message = 'symbolic links to folders are not followed, so the package in this one is not found';
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
        files: shared(files, alike),
        ...(dockerfile === undefined ? {} : { dockerfile: dockerfile.name }),
      });
    else if (files.has('build.yaml')) {
      const meant = entries.find(({ name }) => isMisspelled(name));
      if (meant === undefined) continue;
      const message =
        'this folder has a build.yaml, but its definition is not named definition.yaml or collection.yaml';
      const hint = 'Rename it, or put an ending such as .disabled behind its right name';
      problems.push({ ...fileProblem('misnamed-file', join1(at.shown, meant.name), message), hint });
    }
  }
  return { root, real, folders, templates, problems };
}

const kindOf = (entry: Dirent): SpecFileKind =>
  entry.isFile() ? 'file' : entry.isSymbolicLink() ? 'link' : 'other';

/**
 * The file of a folder without `Dockerfile` whose name has that word in it, as Luet takes it: `Dockerfile.arm64`,
 * `Dockerfiles`. Of several, the first; a warning says so.
 */
function otherDockerfile(
  folder: Folder,
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
    const message = `the folder has several Dockerfiles; ${JSON.stringify(first.name)} is built`;
    const hint = 'Name the one that is meant Dockerfile';
    const problem = fileProblem('several-dockerfiles', join1(folder.shown, first.name), message);
    problems.push({ ...problem, severity: 'warning', hint });
  }
  return first;
}

/** The files of a folder; folders with the same ones share them. */
function shared(
  files: PackageFolder['files'],
  alike: Map<string, PackageFolder['files']>,
): PackageFolder['files'] {
  const key = [...files].join(' ');
  const known = alike.get(key);
  if (known === undefined) alike.set(key, files);
  return known ?? files;
}

const DEFINITIONS = ['definition.yaml', 'collection.yaml'];

/** Whether a file was most likely meant to be one that makes a package. With a right name in its own, it was put aside. */
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
function join1(folder: string, name: string): string {
  return folder === '' ? name : folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

function list(folder: { path: string; shown: string }, problems: Diagnostic[]): readonly Dirent[] {
  try {
    const entries = readdirSync(folder.path, { withFileTypes: true });
    return entries.sort((a, b) => compareText(a.name, b.name));
  } catch (error) {
    const message = `this folder cannot be read: ${reason(error)}`;
    problems.push(fileProblem('unreadable', folder.shown || '.', message));
    return [];
  }
}

/** The shared template files of a folder. */
export function templateFiles(
  folder: { path: string; shown: string },
  problems: Diagnostic[],
): TemplateFile[] {
  const found: TemplateFile[] = [];
  for (const entry of list(folder, problems)) {
    if (!entry.name.endsWith('.yaml') || !(entry.isFile() || entry.isSymbolicLink())) continue;
    found.push({
      path: join1(folder.path, entry.name),
      shown: join1(folder.shown, entry.name),
      link: entry.isSymbolicLink(),
    });
  }
  return found;
}

/** Whether a link leads to a package folder that the walk does not find by another way. */
function leadsToPackage(path: string, root: string): boolean {
  try {
    const real = realpathSync.native(path);
    if (isInside(real, root)) return false;
    return DEFINITIONS.some(
      (name) => statSync(join1(real, name), { throwIfNoEntry: false })?.isFile() === true,
    );
  } catch {
    return false;
  }
}
