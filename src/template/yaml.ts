/** YAML as the library behind Helm's `toYaml` and `fromYaml` writes and reads it: YAML 1.1, by way of JSON. */

import { createRequire } from 'node:module';
import type { Node, Pair } from 'yaml';
import { formatFloat } from './fmt/float.ts';
import { toJson } from './json.ts';
import { parseFloat64, parseInteger } from './literals.ts';
import { fail, type Maybe, type Value } from './value.ts';
import { emitYaml } from './yaml-emit.ts';

let library: typeof import('yaml') | undefined;

/** Loads the library at the first use, as few templates read YAML. */
function loaded(): typeof import('yaml') {
  library ??= createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return library;
}

// What YAML cannot hold unescaped. JSON escapes only the control characters before the blank.
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** A value as YAML; fails where it cannot pass through JSON, which it does on its way. */
export function toYaml(value: Maybe): string {
  const json = toJson(value, { html: false, indent: undefined });
  if (FORBIDDEN.test(json)) fail('yaml: control characters are not allowed');
  if (/"[^"]*\u0085(?:[^"\\]|\\.)*":/.test(json)) fail('yaml: a key spans lines');
  return emitYaml(value);
}

const WORDS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((w) => [w, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (w) => [w, false] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map((w) => [w, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((w) => [w, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((w) => [w, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((w) => [w, Number.NEGATIVE_INFINITY] as const),
]);

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const DATE =
  /^[0-9]{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])(?:[Tt](?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})| +(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?)?$/;

/** Whether a date stands there; it is text, but plain scalars of the kind are quoted when written. */
export function isTimestamp(text: string): boolean {
  if (!DATE.test(text)) return false;
  const [year = 0, month = 1, day = 1] = text.split(/[-Tt ]/, 3).map(Number);
  return (
    day <= new Date(Date.UTC(year, month, 0)).getUTCDate() ||
    (day === 29 && month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))
  );
}

/** What a plain scalar stands for. */
export function resolvePlain(text: string): Value {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  const first = text[0] ?? '';
  if (first === '.') return parseFloat64(text) ?? text;
  if (!/[-+0-9]/.test(first) || isTimestamp(text)) return text;
  const plain = text.replaceAll('_', '');
  const integer = parseInteger(plain);
  const positive = !/^[-+]/.test(plain);
  if (integer !== undefined && integer >= -(2n ** 63n) && integer < (positive ? 2n ** 64n : 2n ** 63n))
    return integer;
  if (FLOAT.test(plain)) return parseFloat64(plain) ?? text;
  return text;
}

/** What the commonest faults are called by Go's library; templates can see it. */
const WORDING: readonly (readonly [RegExp, string])[] = [
  [/^BLOCK_AS_IMPLICIT_KEY/, 'mapping values are not allowed in this context'],
  [/block-seq-ind on same line/, 'block sequence entries are not allowed in this context'],
  [/^TAB_AS_INDENT|^BAD_SCALAR_START/, 'found character that cannot start any token'],
  [/^MISSING_CHAR.*closing.*quote/, 'found unexpected end of stream'],
];

/** How a key that is no text is written as one in JSON. */
function keyText(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number': {
      const short = formatFloat(value, 'g', -1);
      return { '+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan' }[short] ?? short;
    }
  }
  return value === null ? 'null' : fail('a key of a map must be a text, a number or a boolean');
}

/** JSON knows one kind of number. */
function throughJson(value: Value): Value {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    fail(`json: unsupported value: ${formatFloat(value, 'g', -1)}`);
  return value;
}

class Converter {
  readonly yaml = loaded();
  readonly #open = new Set<Node>();
  #nodes = 0;

  convert(node: unknown): Value {
    const { isAlias, isMap, isScalar, isSeq } = this.yaml;
    // Aliases can make a small text stand for a huge value.
    if (++this.#nodes > 1_000_000) fail('yaml: document contains excessive aliasing');
    if (isScalar(node))
      return this.#scalar(node.source ?? String(node.value ?? ''), node.type === 'PLAIN', node.tag);
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
    if (short === '!!float' && typeof value === 'bigint') return Number(value);
    return value;
  }

  #map(pairs: readonly Pair[]): Map<string, Value> {
    const { isScalar } = this.yaml;
    const entries = new Map<string, Value>();
    const merged: Map<string, Value>[] = [];
    for (const { key, value } of pairs) {
      if (isScalar(key)) this.#remember(key);
      const isMerge = isScalar(key) && key.type === 'PLAIN' && key.source === '<<';
      if (isScalar(value)) this.#remember(value);
      const converted = this.convert(value);
      if (isMerge) {
        const sources = Array.isArray(converted) ? converted : [converted];
        for (const source of sources) {
          if (!(source instanceof Map)) fail('yaml: map merge requires map or sequence of maps as the value');
          merged.push(source);
        }
      } else {
        const name = this.convert(key);
        entries.set(name instanceof Map || Array.isArray(name) ? keyText(name) : keyText(name), converted);
      }
    }
    for (const source of merged)
      for (const [name, value] of source) if (!entries.has(name)) entries.set(name, value);
    return entries;
  }
}

function numbersThroughJson(value: Value): Value {
  if (Array.isArray(value)) return value.map(numbersThroughJson);
  if (value instanceof Map)
    return new Map(Array.from(value, ([key, item]) => [key, numbersThroughJson(item)]));
  return throughJson(value);
}

/** Reads the first document of a YAML text; numbers are floats, as they come by way of JSON. */
export function fromYaml(text: string): Value {
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
  return numbersThroughJson(new Converter().convert(document.contents));
}
