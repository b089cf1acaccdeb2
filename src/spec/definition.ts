import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Value } from '../template/index.ts';
import { versionProblem } from '../version/index.ts';
import { forms, packageText, shared } from './forms.ts';
import { formatPackage } from './package-id.ts';
import { flag, NOTHING, type Reading, report, text, textMap, texts } from './reader.ts';
import type { Definition, Located, PackageRef } from './types.ts';
import {
  compose,
  entry,
  kindName,
  readYaml,
  type Source,
  toValue,
  type YamlMapping,
  type YamlNode,
} from './yaml/index.ts';

/** The packages of a `definition.yaml` or `collection.yaml`, and everything wrong with it. */
export interface DefinitionFile {
  /** What could be read, also of packages with errors, so that others can be checked against them. */
  readonly definitions: readonly Definition[];
  readonly problems: readonly Diagnostic[];
  /** Those of `problems` that are about packages without a readable name, which are not among `definitions`. */
  readonly unnamed: readonly Diagnostic[];
}

/** A file in which no package could be read. */
export const noPackage = (problems: readonly Diagnostic[]): DefinitionFile => ({
  definitions: [],
  problems,
  unnamed: problems,
});

/** Reads `definition.yaml`: one package. */
export async function readDefinition(source: Source): Promise<DefinitionFile> {
  const { root, problems } = await readYaml(source);
  const reading: Reading = { source, problems: [...problems] };
  if (root === undefined) {
    if (problems.length === 0) reading.problems.push(emptyFile(source, 'a definition'));
    return noPackage(reading.problems);
  }
  keepDocument(source, root);
  const found = definition(reading, root, 'a definition', undefined);
  return found === undefined
    ? noPackage(reading.problems)
    : { definitions: [found], problems: reading.problems, unnamed: [] };
}

/** One package of a document: itself, or an item of the collection that it is. */
function packageAt(document: YamlNode | undefined, index: number | undefined): YamlNode | undefined {
  if (index === undefined) return document;
  const list = document?.kind === 'mapping' ? entry(document, 'packages') : undefined;
  return list?.kind === 'sequence' ? list.items[index] : undefined;
}

/** What is wrong with a file that holds nothing. */
export function emptyFile(source: Source, what: string): Diagnostic {
  return {
    code: 'missing-name',
    severity: 'error',
    message: `the file is empty; ${what} names at least one package`,
    place: { file: source.file },
  };
}

/** Reads the definition at a node, the `index`th of a collection; undefined where it has no name that could be read. */
export function definition(
  reading: Reading,
  node: YamlNode,
  what: string,
  index: number | undefined,
): Definition | undefined {
  if (node.kind !== 'mapping') {
    const message = `${what} must be a map with a name, not a ${kindName(node)}`;
    report(reading, node, { code: 'wrong-type', message });
    return undefined;
  }
  const before = reading.problems.length;
  const fields = definitionFields(reading, node, what);
  if (fields.name === '') return undefined;
  stampPackage(reading, before, formatPackage(fields));
  return new ReadDefinition(fields, reading.source, node.start, index);
}

// A class, because objects with a getter of their own are kept as hash tables: a kilobyte for each package.
class ReadDefinition implements Definition {
  readonly name: string;
  readonly category: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly uri: readonly string[];
  readonly hidden: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly useFlags: readonly string[];
  readonly requires: readonly PackageRef[];
  readonly conflicts: readonly PackageRef[];
  readonly provides: readonly PackageRef[];
  readonly #source: Source;
  readonly #start: number;
  readonly #index: number | undefined;

  constructor(
    fields: Omit<Definition, 'values' | 'place'>,
    source: Source,
    start: number,
    index: number | undefined,
  ) {
    this.name = fields.name;
    this.category = fields.category;
    this.version = fields.version;
    this.description = fields.description;
    this.license = fields.license;
    this.uri = fields.uri;
    this.hidden = fields.hidden;
    this.labels = fields.labels;
    this.annotations = fields.annotations;
    this.useFlags = fields.useFlags;
    this.requires = fields.requires;
    this.conflicts = fields.conflicts;
    this.provides = fields.provides;
    this.#source = source;
    this.#start = start;
    this.#index = index;
  }

  get place(): Place {
    return this.#source.place(this.#start);
  }

  // Not kept: rendering asks once, and the values take several times the room of all else.
  get values(): Map<string, Value> {
    const node = packageAt(parsedAgain(this.#source), this.#index);
    return node?.kind === 'mapping' ? definitionValues(node) : new Map();
  }
}

/** Keeps a document for the values of its packages, which are mostly asked for next. */
export function keepDocument(source: Source, root: YamlNode): void {
  latest = { source, root };
}

let latest: { readonly source: Source; readonly root: YamlNode | undefined } | undefined;

/**
 * A file's document, parsed once more: most packages are never asked for their values, and text takes a tenth
 * of the memory of nodes. The latest is kept for the other packages of the same collection.
 */
function parsedAgain(source: Source): YamlNode | undefined {
  if (latest?.source !== source) latest = { source, root: compose(source).root };
  return latest.root;
}

/** Says of findings since `from`, up to `end`, which package they are about. */
export function stampPackage(
  reading: Reading,
  from: number,
  name: string,
  end = reading.problems.length,
): void {
  for (let i = from; i < end; i++) {
    const problem = reading.problems[i];
    if (problem !== undefined) reading.problems[i] = { ...problem, package: name };
  }
}

/** The known fields of a definition or subpackage. The name is empty where it is missing. */
export function definitionFields(
  reading: Reading,
  node: YamlMapping,
  what: string,
): Omit<Definition, 'values' | 'place'> {
  const version = entry(node, 'version');
  const versionText = text(reading, version, 'version').trim();
  const problem = versionText === '' ? undefined : versionProblem(versionText);
  if (problem !== undefined && version?.kind === 'scalar') {
    const message = `invalid version ${JSON.stringify(versionText)}: it ${problem}`;
    report(reading, version, { code: 'invalid-version', message });
  }
  return {
    name: packageText(reading, node, 'name', what),
    category: shared(packageText(reading, node, 'category', what)),
    version: versionText,
    description: text(reading, entry(node, 'description'), 'description'),
    license: shared(text(reading, entry(node, 'license'), 'license')),
    uri: values(texts(reading, node, 'uri')),
    hidden: flag(reading, node, 'hidden'),
    labels: textMap(reading, node, 'labels'),
    annotations: textMap(reading, node, 'annotations'),
    useFlags: values(texts(reading, node, 'use_flags')),
    requires: forms(reading, node, 'requires'),
    conflicts: forms(reading, node, 'conflicts'),
    provides: forms(reading, node, 'provides'),
  };
}

const values = (found: readonly Located<string>[]): readonly string[] =>
  found.length === 0 ? NOTHING : found.map(({ value }) => value);

/** Fields that every definition knows; all others are its author's own. */
const TEXTS = ['name', 'category', 'version', 'description', 'license'];

/** Every field as templates see it: YAML's kinds, but text as written for what is text by its meaning. */
function definitionValues(node: YamlMapping): Map<string, Value> {
  const values = toValue(node) as Map<string, Value>;
  keepTexts(node, values);
  for (const key of ['requires', 'conflicts', 'provides']) {
    const list = node.pairs.get(key)?.value;
    const copy = values.get(key);
    if (list?.kind !== 'sequence' || !Array.isArray(copy)) continue;
    list.items.forEach((item, i) => {
      const form = copy[i];
      if (item.kind === 'mapping' && form instanceof Map) keepTexts(item, form);
    });
  }
  return values;
}

function keepTexts(node: YamlMapping, values: Map<string, Value>): void {
  for (const key of TEXTS) {
    const value = entry(node, key);
    if (value?.kind === 'scalar') values.set(key, value.text);
  }
}
