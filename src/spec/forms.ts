import { nearest, type Place, type Severity } from '../diagnostic/index.ts';
import { invisibleCharacterProblem, parseSelector } from '../version/index.ts';
import { items, report, type SpecReading, text } from './reader.ts';
import type { PackageRef } from './types.ts';
import { entry, kindName, type YamlMapping, type YamlNode, type YamlSource } from './yaml/index.ts';

/** The keys allowed in a definition, and therefore in a package form. */
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

/** Reads the list of package forms under a key, such as `requires`. */
export function forms(reading: SpecReading, owner: YamlMapping, key: string): readonly PackageRef[] {
  const list = items(reading, entry(owner, key), key, 'package forms');
  if (list.length === 0) return NO_FORMS;
  const found = list.map((item) => form(reading, item, `each item of ${key}`));
  // filter() would create an array with spare capacity, which takes more memory.
  return found.includes(undefined) ? found.filter((ref) => ref !== undefined) : (found as PackageRef[]);
}

/** Shared by all empty lists to save memory, because most lists are empty. */
const NO_FORMS: readonly PackageRef[] = [];

/** Reads one package form `{name, category, version}`. Undefined if it is invalid. */
export function form(reading: SpecReading, node: YamlNode, what: string): PackageRef | undefined {
  if (node.kind !== 'mapping') {
    report(reading, node, {
      code: 'wrong-type',
      message: `${what} must be a package form, not a ${kindName(node)}`,
      hint: node.kind === 'scalar' ? formHint(node.text) : undefined,
    });
    return undefined;
  }
  // An invalid name is only a warning here: no package can have that name, but the reference does no harm.
  const name = packageText(reading, node, 'name', what, 'warning');
  const category = packageText(reading, node, 'category', what, 'warning');
  const version = entry(node, 'version');
  const selector = text(reading, version, `the version of ${what}`).trim();
  checkSelector(reading, version ?? node, selector);
  unknownKeys(reading, node, FORM_KEYS, 'a package form', false);
  if (name === '') return undefined;
  return new ParsedForm(name, interned(category), interned(selector), reading.source, node.start);
}

// The place is computed on demand, because trees have many forms and most places are never used.
class ParsedForm implements PackageRef {
  readonly name: string;
  readonly category: string;
  readonly selector: string;
  readonly #source: YamlSource;
  readonly #start: number;

  constructor(name: string, category: string, selector: string, source: YamlSource, start: number) {
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

/**
 * Returns one shared copy of equal texts to save memory: the same categories and selectors occur again and
 * again.
 */
export function interned(text: string): string {
  // V8 implements substrings from 13 characters on as slices, which keep the whole file in memory.
  if (text.length >= 13) return text;
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size >= 65_536) known.clear();
  known.set(text, text);
  return text;
}

/** A hint for a form written as one word, as on the command line, which is a frequent mistake. */
function formHint(word: string): string {
  const parts = /^(?:([^/@]+)\/)?([^/@]+)(?:@(.*))?$/.exec(word.trim());
  if (parts === null) return 'Write it as {name: …, category: …, version: …}';
  const [, category = '', name = '', version = '>=0'] = parts;
  return `Write it as {name: "${name}", category: "${category}", version: "${version}"}`;
}

const selectors = new Map<string, string | undefined>();

/** Checks a selector. Results are cached, because trees use few different selectors. */
function selectorProblem(selector: string): string | undefined {
  if (selector === '' || selector === '>=0') return undefined;
  if (selectors.has(selector)) return selectors.get(selector);
  const parsed = parseSelector(selector);
  const problem = 'error' in parsed ? parsed.error : undefined;
  if (selectors.size < 10_000) selectors.set(selector, problem);
  return problem;
}

function checkSelector(reading: SpecReading, node: YamlNode, selector: string): void {
  const message = selectorProblem(selector);
  if (message === undefined) return;
  report(reading, node, {
    code: 'invalid-selector',
    message,
  });
}

/**
 * Reads a name or category. It becomes part of file names, so characters that file names cannot hold are
 * refused.
 */
export function packageText(
  reading: SpecReading,
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
    const message = `invalid ${key} ${JSON.stringify(value)}: it ${problem}`;
    report(reading, node, { code: 'invalid-name', message, severity });
  }
  return value;
}

function nameProblem(value: string): string | undefined {
  // Fast path: nearly all names match this.
  if (value.length <= 100 && /^\w[\w.+-]*$/.test(value)) return undefined;
  if (/[/\\]/.test(value)) return 'contains a slash, which file names cannot contain';
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(value)) return 'contains a control character';
  if (/\s/.test(value)) return 'contains whitespace';
  const invisible = invisibleCharacterProblem(value);
  if (invisible !== undefined) return invisible;
  if (value.startsWith('.')) return 'starts with a dot';
  if (!value.isWellFormed()) return 'contains a lone surrogate (half of a UTF-16 character)';
  if (Buffer.byteLength(value) > 100) return 'is longer than 100 bytes';
  return undefined;
}

/**
 * Reports unknown keys of a map. Without `all`, reports only those that look like a misspelled known key,
 * because other keys are allowed.
 */
export function unknownKeys(
  reading: SpecReading,
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
      message: `unknown key ${JSON.stringify(name)} in ${what}`,
      hint: meant === undefined ? undefined : `Did you mean ${JSON.stringify(meant)}?`,
    });
  }
}
