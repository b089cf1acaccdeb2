/**
 * Writes and reads YAML as the library behind Helm's `toYaml` and `fromYaml` does: YAML 1.1, converted from
 * and to JSON. Templates can see the error messages, so these are the library's.
 */

import { createRequire } from 'node:module';
import type { Node, Pair } from 'yaml';
import { formatFloat } from './fmt/float.ts';
import { sprintf } from './fmt/printf.ts';
import { toJson } from './json.ts';
import { fail, type Maybe, type Value } from './value.ts';
import { work } from './work.ts';
import { emitYaml } from './yaml-emit.ts';
import { resolvePlain } from './yaml-resolve.ts';

let library: typeof import('yaml') | undefined;

/** Loads the library at first use, because few templates read YAML. */
function loaded(): typeof import('yaml') {
  library ??= createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return library;
}

// Characters that YAML must escape but JSON does not.
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** Formats a value as YAML. Fails if JSON cannot represent it, because it is converted to JSON first. */
export function toYaml(value: Maybe): string {
  const json = toJson(value, { html: false, indent: undefined });
  if (FORBIDDEN.test(json)) fail('yaml: control characters are not allowed');
  if (/"[^"]*\u0085(?:[^"\\]|\\.)*":/.test(json)) fail('yaml: a key spans lines');
  return emitYaml(value);
}

/** The messages of Go's library for the most frequent errors; templates can see them. */
const WORDING: readonly (readonly [RegExp, string])[] = [
  [/^BLOCK_AS_IMPLICIT_KEY/, 'mapping values are not allowed in this context'],
  [/block-seq-ind on same line/, 'block sequence entries are not allowed in this context'],
  [/^TAB_AS_INDENT|^BAD_SCALAR_START/, 'found character that cannot start any token'],
  [/^MISSING_CHAR.*closing.*quote/, 'found unexpected end of stream'],
];

/** The shortest number that has the same value as a 32-bit float. */
function singlePrecision(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}

/** The JSON key for a YAML key that is not text. */
function keyText(value: Value, of: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number': {
      const short = formatFloat(singlePrecision(value), 'g', -1);
      return { '+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan' }[short] ?? short;
    }
  }
  if (value !== null) fail('yaml: invalid map key');
  fail(`unsupported map key of type: %!s(<nil>), key: <nil>, value: ${sprintf('%#v', [of])}`);
}

/** JSON has only one type of number. */
function throughJson(value: Value): Value {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    fail(`json: unsupported value: ${formatFloat(value, 'g', -1)}`);
  return value;
}

/** Whether a scalar matches its tag. Tags that Go does not know are ignored. */
function tagFits(tag: string, value: Value): boolean {
  switch (tag) {
    case '!!null':
      return value === null;
    case '!!bool':
      return typeof value === 'boolean';
    case '!!int':
      return typeof value === 'bigint';
    case '!!float':
      return typeof value === 'bigint' || typeof value === 'number';
    default:
      return true;
  }
}

class Converter {
  readonly yaml = loaded();
  /** Offset of the end of the text, if the last line has no line break. */
  readonly #cut: number;
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(text: string) {
    this.#cut = text.endsWith('\n') ? -1 : text.length;
  }

  convert(node: unknown): Value {
    const { isAlias, isMap, isScalar, isSeq } = this.yaml;
    // Aliases can expand a small text to a huge value.
    if (++this.#nodes > 1_000_000) fail('yaml: document contains excessive aliasing');
    if (isScalar(node)) {
      this.#remember(node);
      const source = node.source ?? String(node.value ?? '');
      // Go adds no line break to a block scalar that ends with the text.
      const isCut = node.type?.startsWith('BLOCK') === true && node.range?.[1] === this.#cut;
      return this.#scalar(isCut ? source.replace(/\n$/, '') : source, node.type === 'PLAIN', node.tag);
    }
    if (isAlias(node)) {
      const target = this.#aliases.get(node.source);
      if (target === undefined) fail(`yaml: unknown anchor '${node.source}' referenced`);
      if (this.#open.has(target)) fail(`yaml: anchor '${node.source}' value contains itself`);
      return this.convert(target);
    }
    if (!isMap(node) && !isSeq(node)) return null;
    this.#open.add(node);
    this.#remember(node);
    const value = isSeq(node)
      ? node.items.map((item) => this.convert(item))
      : this.#map(node.items as Pair[]);
    this.#open.delete(node);
    return value;
  }

  readonly #aliases = new Map<string, Node>();

  #remember(node: Node): void {
    const anchor = 'anchor' in node ? node.anchor : undefined;
    if (typeof anchor === 'string') this.#aliases.set(anchor, node);
  }

  #scalar(text: string, plain: boolean, tag: string | undefined): Value {
    const short = tag?.replace('tag:yaml.org,2002:', '!!');
    if (short === '!!binary') return Buffer.from(text, 'base64').toString();
    if (short === '!!str' || (short === undefined && !plain) || short === '!') return text;
    const value = resolvePlain(text);
    if (short !== undefined && !tagFits(short, value)) {
      const names = { string: '!!str', bigint: '!!int', number: '!!float', boolean: '!!bool' } as Partial<
        Record<string, string>
      >;
      const found = names[typeof value] ?? '!!null';
      fail(`yaml: cannot decode ${found} \`${text}\` as a ${short}`);
    }
    if (short === '!!float' && typeof value === 'bigint') return Number(value);
    return value;
  }

  #map(pairs: readonly Pair[]): Map<string, Value> {
    const { isScalar } = this.yaml;
    const entries = new Map<string, Value>();
    for (const { key, value } of pairs) {
      const isMerge = isScalar(key) && key.type === 'PLAIN' && key.source === '<<';
      const converted = this.convert(value);
      if (isMerge) {
        // Merged keys replace earlier keys; of several merged maps the first wins.
        for (const source of Array.isArray(converted) ? converted.toReversed() : [converted]) {
          if (!(source instanceof Map)) fail('yaml: map merge requires map or sequence of maps as the value');
          for (const [name, item] of source) entries.set(name, item);
        }
      } else {
        entries.set(keyText(this.convert(key), converted), converted);
      }
    }
    return entries;
  }
}

function numbersThroughJson(value: Value): Value {
  if (Array.isArray(value)) return value.map(numbersThroughJson);
  if (value instanceof Map)
    return new Map(Array.from(value, ([key, item]) => [key, numbersThroughJson(item)]));
  return throughJson(value);
}

/** Parses the first document of a YAML text. Numbers are floats, because they are converted through JSON. */
export function fromYaml(text: string): Value {
  // Parsing costs more per character than other functions.
  work(4 * text.length);
  if (FORBIDDEN.test(text)) fail('yaml: control characters are not allowed');
  if (!text.isWellFormed()) fail('yaml: invalid leading UTF-8 octet');
  if (/^%(?!(?:YAML|TAG)[ \t])/.test(text)) fail('yaml: found unexpected non-alphabetical character');
  const { parseAllDocuments } = loaded();
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    version: '1.1',
    uniqueKeys: false,
    logLevel: 'silent',
    keepSourceTokens: false,
  });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (document === undefined) return null;
  const error = document.errors[0];
  if (error !== undefined) {
    const line = error.linePos?.[0].line ?? 1;
    const own = error.message.split(' at line ', 1)[0] ?? error.message;
    const reason = WORDING.find(([pattern]) => pattern.test(`${error.code} ${own}`))?.[1] ?? own;
    fail(`yaml: ${line > 1 ? `line ${line}: ` : ''}${reason}`);
  }
  return numbersThroughJson(new Converter(text).convert(document.contents));
}
