import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Value } from '../template/index.ts';
import { versionProblem } from '../version/index.ts';
import { forms, interned, packageText } from './forms.ts';
import { formatPackage } from './package-id.ts';
import { EMPTY_LIST, flag, report, type SpecReading, text, textMap, texts } from './reader.ts';
import type { Definition, Located, PackageRef } from './types.ts';
import {
  compose,
  entry,
  kindName,
  readYaml,
  toValue,
  type YamlMapping,
  type YamlNode,
  type YamlSource,
} from './yaml/index.ts';

/** The packages of a `definition.yaml` or `collection.yaml`, and its problems. */
export interface DefinitionFile {
  /**
   * All packages that could be read, including packages with errors, so that others can be checked against
   * them.
   */
  readonly definitions: readonly Definition[];
  readonly problems: readonly Diagnostic[];
  /** The `problems` of packages without a valid name. These packages are not in `definitions`. */
  readonly unnamed: readonly Diagnostic[];
}

/** The result for a file without any readable package. */
export const noPackage = (problems: readonly Diagnostic[]): DefinitionFile => ({
  definitions: [],
  problems,
  unnamed: problems,
});

/** Reads `definition.yaml`: a single package. */
export async function readDefinition(source: YamlSource): Promise<DefinitionFile> {
  const { root, problems } = await readYaml(source);
  const reading: SpecReading = { source, problems: [...problems] };
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

/** The node of one package: the document itself, or an item of the collection. */
function packageAt(document: YamlNode | undefined, index: number | undefined): YamlNode | undefined {
  if (index === undefined) return document;
  const list = document?.kind === 'mapping' ? entry(document, 'packages') : undefined;
  return list?.kind === 'sequence' ? list.items[index] : undefined;
}

/** The problem of an empty file. */
export function emptyFile(source: YamlSource, what: string): Diagnostic {
  return {
    code: 'missing-name',
    severity: 'error',
    message: `the file is empty; ${what} must define at least one package`,
    place: { file: source.file },
  };
}

/**
 * Reads the definition at a node; `index` is its position in a collection. Undefined if it has no valid name.
 */
export function definition(
  reading: SpecReading,
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
  return new ParsedDefinition(fields, reading.source, node.start, index);
}

// A class, because V8 stores object literals with a getter as hash tables, which take a kilobyte for each
// package.
class ParsedDefinition implements Definition {
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
  readonly #source: YamlSource;
  readonly #start: number;
  readonly #index: number | undefined;

  constructor(
    fields: Omit<Definition, 'values' | 'place'>,
    source: YamlSource,
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

  // Not cached: rendering reads the values once, and they take several times the memory of everything else.
  get values(): Map<string, Value> {
    const node = packageAt(parsedAgain(this.#source), this.#index);
    return node?.kind === 'mapping' ? definitionValues(node) : new Map();
  }
}

/** Caches a document, because the values of its packages are usually needed next. */
export function keepDocument(source: YamlSource, root: YamlNode): void {
  latest = { source, root };
}

let latest: { readonly source: YamlSource; readonly root: YamlNode | undefined } | undefined;

/**
 * Parses a file's document again. Most packages never need their values, and text takes a tenth of the memory
 * of nodes. The latest document is cached for the other packages of the same collection.
 */
function parsedAgain(source: YamlSource): YamlNode | undefined {
  if (latest?.source !== source) latest = { source, root: compose(source).root };
  return latest.root;
}

/** Sets the package of the problems from index `from` (inclusive) to `end` (exclusive). */
export function stampPackage(
  reading: SpecReading,
  from: number,
  name: string,
  end = reading.problems.length,
): void {
  for (let i = from; i < end; i++) {
    const problem = reading.problems[i];
    if (problem !== undefined) reading.problems[i] = { ...problem, package: name };
  }
}

/** Reads the known fields of a definition or subpackage. The name is empty if it is missing. */
export function definitionFields(
  reading: SpecReading,
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
    category: interned(packageText(reading, node, 'category', what)),
    version: versionText,
    description: text(reading, entry(node, 'description'), 'description'),
    license: interned(text(reading, entry(node, 'license'), 'license')),
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
  found.length === 0 ? EMPTY_LIST : found.map(({ value }) => value);

/** Fields whose value is always text. */
const TEXTS = ['name', 'category', 'version', 'description', 'license'];

/**
 * All fields as templates see them: typed as in YAML, except fields that are always text, which keep the text
 * as written.
 */
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
