import type { Diagnostic } from '../diagnostic/index.ts';
import {
  type BuildFile,
  type Definition,
  type DefinitionFile,
  formatPackage,
  plainSource,
  readBuild,
  readCollection,
  readDefinition,
  readFinalize,
} from '../spec/index.ts';
import type { Value } from '../template/index.ts';
import { type FileText, notAFile, readText } from './files.ts';
import type { Rendering, TreeRenderer } from './render.ts';
import type { TreeFinalizer, TreePackage } from './types.ts';
import { overlay } from './values.ts';
import type { PackageFolder, SpecFile } from './walk.ts';

/** The data of a tree that reading its folders needs. */
export interface FolderContext {
  /** The root as given. */
  readonly root: string;
  /** The root as an absolute path without symbolic links. */
  readonly real: string;
  readonly renderer: TreeRenderer;
  /** The values from `--values` files. */
  readonly values: ReadonlyMap<string, Value>;
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

/** Shared by all packages without errors, to save memory. */
const NONE: readonly Diagnostic[] = [];

/** The problems of a tree, collected while it is read. */
export interface TreeProblems {
  readonly problems: Diagnostic[];
  /** Errors that belong to no package that could be read. */
  readonly unassigned: Diagnostic[];
  /** Errors that may hide subpackages. */
  readonly hiding: Diagnostic[];
}

/** Reads the packages of one folder. Adds their problems to `findings`. */
export async function readFolder(
  folder: PackageFolder,
  context: FolderContext,
  findings: TreeProblems,
): Promise<readonly TreePackage[]> {
  const file = await definitionFile(folder, context);
  const [only] = file.definitions;
  // If the file defines a single package, problems of the whole file belong to that package.
  const owner = only !== undefined && !isCollection(folder) ? formatPackage(only) : undefined;
  const unnamed = new Set(file.unnamed);
  const defined = file.problems.filter((one) => !unnamed.has(one)).map((one) => stamped(one, owner));
  findings.problems.push(...defined, ...unnamed);
  findings.unassigned.push(...[...unnamed].filter(isError));
  const files = sources(folder);
  const build = await buildFile(folder, files.buildFile, context);
  const packages: TreePackage[] = [];
  for (const definition of file.definitions) {
    const key = formatPackage(definition);
    const built = await build?.(definition);
    const read = built?.problems ?? dockerfileProblems(folder, files, context);
    const hiding = new Set(built?.hiding);
    const own = [...read, ...repeated(built, key)].map((problem) => {
      const about = stamped(problem, key);
      if (hiding.has(problem)) findings.hiding.push(about);
      return about;
    });
    findings.problems.push(...own);
    // An error in a collection that belongs to none of its packages may affect any of them, so it counts for
    // all.
    const errors = [...defined.filter((one) => (one.package ?? key) === key), ...own].filter(isError);
    packages.push({
      definition,
      key,
      folder: folder.path,
      tree: context.root,
      root: context.real,
      ...files,
      ...(built?.spec !== undefined && { build: built.spec }),
      ...(built?.rendered !== undefined && { rendered: built.rendered }),
      errors: errors.length === 0 ? NONE : errors.map((problem) => stamped(problem, key)),
    });
  }
  return packages;
}

/** Sets the package of a problem that has none yet. */
function stamped(problem: Diagnostic, name: string | undefined): Diagnostic {
  return name === undefined || problem.package !== undefined ? problem : { ...problem, package: name };
}

const isCollection = ({ files }: PackageFolder): boolean => files.has('collection.yaml');

/** Problems of a Dockerfile that can be found without building it. */
function dockerfileProblems(
  folder: PackageFolder,
  { dockerfile }: Pick<TreePackage, 'dockerfile'>,
  context: FolderContext,
): readonly Diagnostic[] {
  if (dockerfile === undefined || folder.files.get('Dockerfile') === 'file') return NONE;
  const file = readSpecFile(folder, 'Dockerfile', context);
  return 'problem' in file ? [file.problem] : NONE;
}

/**
 * Finds subpackages with the same name as another one or as the main package: one archive would overwrite the
 * other.
 */
function repeated(built: RenderedBuild | undefined, key: string): Diagnostic[] {
  const seen = new Set([key]);
  const found: Diagnostic[] = [];
  for (const subpackage of built?.spec?.subpackages ?? []) {
    const name = formatPackage(subpackage);
    const message = `subpackage ${name} has the same name as another subpackage or as its main package`;
    const { place } = subpackage;
    if (seen.has(name)) found.push({ code: 'duplicate-package', severity: 'error', message, place });
    seen.add(name);
  }
  return found;
}

/** The files that build and finish a package of this folder. */
function sources(folder: PackageFolder): Pick<TreePackage, 'buildFile' | 'dockerfile' | 'finalizeFile'> {
  const { files } = folder;
  return {
    ...(files.has('build.yaml') && { buildFile: inFolder(folder, 'build.yaml').shown }),
    ...(files.has('Dockerfile') &&
      !files.has('build.yaml') && { dockerfile: inFolder(folder, 'Dockerfile').path }),
    ...(files.has('finalize.yaml') && { finalizeFile: inFolder(folder, 'finalize.yaml').shown }),
  };
}

function inFolder(folder: PackageFolder, file: SpecFile): { path: string; shown: string } {
  const name = file === 'Dockerfile' ? (folder.dockerfile ?? file) : file;
  const shown = folder.shown === '' ? name : `${folder.shown}/${name}`;
  return { path: `${folder.path}/${name}`, shown };
}

/** The text of one of a folder's spec files. */
function readSpecFile(
  folder: PackageFolder,
  name: SpecFile,
  context: FolderContext,
): FileText & { readonly shown: string } {
  const { path, shown } = inFolder(folder, name);
  const kind = folder.files.get(name);
  if (kind === 'other') return { shown, problem: notAFile(shown) };
  return { shown, ...readText(path, shown, kind === 'link' ? context.real : undefined, kind === 'file') };
}

async function definitionFile(folder: PackageFolder, context: FolderContext): Promise<DefinitionFile> {
  const name = isCollection(folder) ? 'collection.yaml' : 'definition.yaml';
  if (!folder.files.has(name)) return dockerfilePackage(folder);
  const file = readSpecFile(folder, name, context);
  if ('problem' in file) return { definitions: [], problems: [file.problem], unnamed: [file.problem] };
  const source = plainSource(file.shown, file.text);
  return name === 'collection.yaml' ? readCollection(source) : readDefinition(source);
}

/** A folder with a Dockerfile and without a definition: a package named after the folder. */
function dockerfilePackage(folder: PackageFolder): Promise<DefinitionFile> {
  const name = folder.path.slice(folder.path.lastIndexOf('/') + 1);
  return readDefinition(plainSource(inFolder(folder, 'Dockerfile').shown, `name: ${JSON.stringify(name)}\n`));
}

/** A package's build spec, with the text it was parsed from. */
type RenderedBuild = BuildFile & { readonly rendered?: string };

/**
 * Renders and reads `build.yaml` for each package of a folder. Undefined if there is none. A file without
 * template actions is read only once.
 */
async function buildFile(
  folder: PackageFolder,
  shown: string | undefined,
  context: FolderContext,
): Promise<((definition: Pick<Definition, 'values'>) => Promise<RenderedBuild>) | undefined> {
  if (shown === undefined) return undefined;
  const file = readSpecFile(folder, 'build.yaml', context);
  if ('problem' in file) {
    const problems = [file.problem];
    return () => Promise.resolve({ problems, hiding: problems });
  }
  const renderable = await context.renderer.prepare(shown, file.text);
  // Shared templates can define subpackages too.
  const hides = /subpackages|\b(?:include|template|tpl)\b/.test(file.text);
  if (renderable.constant) {
    const built = read(
      renderable.render(() => new Map()),
      hides,
    );
    return () => built;
  }
  const { values } = context;
  return (definition) => read(renderable.render(valuesOf(definition, values)), hides);
}

/** Renders and reads a package's `build.yaml` as if its definition had another version. */
export async function readBuildAgain(
  folder: PackageFolder,
  definition: Definition,
  version: string,
  context: FolderContext,
): Promise<BuildFile | undefined> {
  const other = {
    get values() {
      return new Map([...definition.values, ['version', version]]);
    },
  };
  return await (await buildFile(folder, sources(folder).buildFile, context))?.(other);
}

/**
 * The values that templates see: the definition's fields, overlaid with those of values files. Computed at
 * each call; the returned function keeps only these two in memory.
 */
function valuesOf(
  definition: Pick<Definition, 'values'>,
  over: ReadonlyMap<string, Value>,
): () => Map<string, Value> {
  return () => (over.size === 0 ? definition.values : overlay(definition.values, over));
}

/** Reads a rendered build spec. `hides` says whether the file may define subpackages, if rendering failed. */
async function read(rendering: Rendering, hides: boolean): Promise<RenderedBuild> {
  if ('problems' in rendering) {
    const { problems } = rendering;
    return { problems, ...(hides ? { hiding: problems.filter(isError) } : {}) };
  }
  const { problems, ...parts } = await readBuild(rendering.source);
  return { ...parts, problems: [...rendering.warnings, ...problems], rendered: rendering.source.text };
}

/** The definition fields that `finalize.yaml` can use. Author-defined fields are not included. */
const STANDARD = ['name', 'category', 'version', 'description', 'license', 'uri', 'hidden', 'labels'];
const STANDARD_MORE = ['annotations', 'use_flags', 'requires', 'conflicts', 'provides'];

/** Renders and reads a package's `finalize.yaml`. */
export async function readFinalizer(
  folder: PackageFolder,
  definition: Definition,
  context: FolderContext,
): Promise<TreeFinalizer> {
  const file = readSpecFile(folder, 'finalize.yaml', context);
  if ('problem' in file) return { problems: [file.problem] };
  const { values } = definition;
  const known = [...STANDARD, ...STANDARD_MORE].flatMap((key) => {
    const value = values.get(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  const renderable = await context.renderer.prepare(file.shown, file.text);
  const rendering = renderable.render(() => overlay(new Map(known), new Map()));
  if ('problems' in rendering) return { problems: rendering.problems };
  const { problems, ...parts } = await readFinalize(rendering.source);
  return { ...parts, problems: [...rendering.warnings, ...problems], rendered: rendering.source.text };
}
