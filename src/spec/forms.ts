import { nearest, type Place, type Severity } from '../diagnostic/index.ts';
import { invisibleCharacterProblem, parseSelector } from '../version/index.ts';
import { items, type Reading, report, text } from './reader.ts';
import type { PackageRef } from './types.ts';
import { entry, kindName, type Source, type YamlMapping, type YamlNode } from './yaml/index.ts';

/** The keys that a definition, and so a package form, is known to have. */
export const FORM_KEYS: ReadonlySet<string> = new Set([
  'name',
  'category',
  'version',
  'description',
  'license',
  'uri',
  'hidden',
  'labels',
  'annotations',
  'use_flags',
  'requires',
  'conflicts',
  'provides',
]);

/** The list of package forms under a key, such as `requires`. */
export function forms(reading: Reading, owner: YamlMapping, key: string): readonly PackageRef[] {
  const list = items(reading, entry(owner, key), key, 'package forms');
  if (list.length === 0) return NO_FORMS;
  const found = list.map((item) => form(reading, item, `each item of ${key}`));
  // A filtered list takes room for many more than it has.
  return found.includes(undefined) ? found.filter((ref) => ref !== undefined) : (found as PackageRef[]);
}

/** Most lists are empty; one list is enough for all of them. */
const NO_FORMS: readonly PackageRef[] = [];

/** One package form `{name, category, version}`, or undefined where it is none. */
export function form(reading: Reading, node: YamlNode, what: string): PackageRef | undefined {
  if (node.kind !== 'mapping') {
    report(reading, node, {
      code: 'wrong-type',
      message: `${what} must be a package form, not a ${kindName(node)}`,
      hint: node.kind === 'scalar' ? formHint(node.text) : undefined,
    });
    return undefined;
  }
  // What is only spoken of needs no file; no package can bear the name, but that stops nothing.
  const name = packageText(reading, node, 'name', what, 'warning');
  const category = packageText(reading, node, 'category', what, 'warning');
  const version = entry(node, 'version');
  const selector = text(reading, version, `the version of ${what}`).trim();
  checkSelector(reading, version ?? node, selector);
  unknownKeys(reading, node, FORM_KEYS, 'a package form', false);
  if (name === '') return undefined;
  return new ReadForm(name, shared(category), shared(selector), reading.source, node.start);
}

// Trees are full of forms, and the places of most are never asked for.
class ReadForm implements PackageRef {
  readonly name: string;
  readonly category: string;
  readonly selector: string;
  readonly #source: Source;
  readonly #start: number;

  constructor(name: string, category: string, selector: string, source: Source, start: number) {
    this.name = name;
    this.category = category;
    this.selector = selector;
    this.#source = source;
    this.#start = start;
  }

  get place(): Place {
    return this.#source.place(this.#start);
  }
}

const known = new Map<string, string>();

/** The same text, kept once for all places that have it: categories and selectors come again and again. */
export function shared(text: string): string {
  // A slice of this length and more keeps the whole file alive.
  if (text.length >= 13) return text;
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size >= 65_536) known.clear();
  known.set(text, text);
  return text;
}

/** A form written as one word, as on the command line, is what people try first. */
function formHint(word: string): string {
  const parts = /^(?:([^/@]+)\/)?([^/@]+)(?:@(.*))?$/.exec(word.trim());
  if (parts === null) return 'Write it as {name: …, category: …, version: …}';
  const [, category = '', name = '', version = '>=0'] = parts;
  return `Write it as {name: "${name}", category: "${category}", version: "${version}"}`;
}

const selectors = new Map<string, string | undefined>();

/** What is wrong with a selector, remembered for the few texts that trees are full of. */
function selectorProblem(selector: string): string | undefined {
  if (selector === '' || selector === '>=0') return undefined;
  if (selectors.has(selector)) return selectors.get(selector);
  const parsed = parseSelector(selector);
  const problem = 'error' in parsed ? parsed.error : undefined;
  if (selectors.size < 10_000) selectors.set(selector, problem);
  return problem;
}

function checkSelector(reading: Reading, node: YamlNode, selector: string): void {
  const message = selectorProblem(selector);
  if (message === undefined) return;
  report(reading, node, {
    code: 'invalid-selector',
    message,
  });
}

/** A name or category: it becomes part of file names, so what those cannot hold is refused. */
export function packageText(
  reading: Reading,
  owner: YamlMapping,
  key: 'name' | 'category',
  what: string,
  severity: Severity = 'error',
): string {
  const node = entry(owner, key);
  const value = text(reading, node, `the ${key} of ${what}`);
  if (value === '') {
    if (key === 'name' && (node === undefined || node.kind === 'scalar')) {
      report(reading, owner, { code: 'missing-name', message: `${what} needs a name` });
    }
    return '';
  }
  const problem = nameProblem(value);
  if (problem !== undefined && node !== undefined) {
    const message = `the ${key} ${JSON.stringify(value)} ${problem}`;
    report(reading, node, { code: 'invalid-name', message, severity });
  }
  return value;
}

function nameProblem(value: string): string | undefined {
  // Nearly all names are like this.
  if (value.length <= 100 && /^\w[\w.+-]*$/.test(value)) return undefined;
  if (/[/\\]/.test(value)) return 'has a slash in it, which cannot be in a file name';
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(value)) return 'has a control character in it';
  if (/\s/.test(value)) return 'contains whitespace';
  const invisible = invisibleCharacterProblem(value);
  if (invisible !== undefined) return invisible;
  if (value.startsWith('.')) return 'begins with a dot';
  if (!value.isWellFormed()) return 'has half a character (a lone surrogate) in it';
  if (Buffer.byteLength(value) > 100) return 'is longer than 100 bytes';
  return undefined;
}

/**
 * Reports keys of a map that mean nothing. Without `all`, only those that were most likely meant to be a known one, where
 * further keys are allowed.
 */
export function unknownKeys(
  reading: Reading,
  node: YamlMapping,
  known: ReadonlySet<string>,
  what: string,
  all: boolean,
): void {
  for (const [name, { key }] of node.pairs) {
    if (known.has(name)) continue;
    const meant = nearest(name, known);
    if (meant === undefined && !all) continue;
    report(reading, key, {
      code: 'unknown-key',
      severity: meant === undefined ? 'warning' : (reading.misspelled ?? 'warning'),
      message: `${what} has no key ${JSON.stringify(name)}`,
      hint: meant === undefined ? undefined : `Did you mean ${JSON.stringify(meant)}?`,
    });
  }
}
