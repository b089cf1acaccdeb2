import type { Advice, Diagnostic, Note, Place, Severity } from '../diagnostic/index.ts';
import type { Located } from './types.ts';
import {
  entry,
  isNull,
  kindName,
  quoted,
  type YamlMapping,
  type YamlNode,
  type YamlScalar,
  type YamlSource,
} from './yaml/index.ts';

/** The state of reading one file: its source and the problems found so far. */
export interface SpecReading {
  readonly source: YamlSource;
  readonly problems: Diagnostic[];
  /** Severity of a key that is probably misspelled. Default: warning. */
  readonly misspelled?: Severity;
}

/** A problem without its place. */
export interface ProblemDetails {
  readonly code: string;
  readonly message: string;
  readonly severity?: Severity;
  readonly hint?: string | undefined;
  readonly advice?: Advice | undefined;
}

/** Records a problem at a node. */
export function report(reading: SpecReading, node: YamlNode, finding: ProblemDetails): void {
  const { code, message, severity = 'error', hint, advice } = finding;
  const end = node.kind === 'scalar' && node.end >= 0 ? node.end : undefined;
  const place = reading.source.place(node.start, end);
  const notes = reading.source.notes?.(node.start) ?? [];
  reading.problems.push({
    code,
    severity,
    message,
    place,
    ...(hint !== undefined && { hint }),
    ...(advice !== undefined && { advice }),
    ...(notes.length > 0 && { notes }),
  });
}

/** A value with the place of its node. */
export function located<T>(reading: SpecReading, node: YamlNode, value: T): Located<T> {
  return new LocatedNode(value, reading.source, node.start);
}

// The place is computed on demand: most places are never used, and they take several times the memory of the
// value.
class LocatedNode<T> implements Located<T> {
  readonly value: T;
  readonly #source: YamlSource;
  readonly #start: number;

  constructor(value: T, source: YamlSource, start: number) {
    this.value = value;
    this.#source = source;
    this.#start = start;
  }

  get place(): Place {
    return this.#source.place(this.#start);
  }

  get notes(): readonly Note[] | undefined {
    const notes = this.#source.notes?.(this.#start) ?? EMPTY_LIST;
    return notes.length === 0 ? undefined : notes;
  }
}

function wrongType(reading: SpecReading, node: YamlNode, message: string, hint?: string): void {
  report(reading, node, { code: 'wrong-type', message, hint });
}

/** The text of a scalar as written, so that `1.10` stays `1.10`; empty for null. */
export function text(reading: SpecReading, node: YamlNode | undefined, what: string): string {
  if (node === undefined || isNull(node)) return '';
  if (node.kind === 'scalar') return node.text;
  wrongType(reading, node, `${what} must be a string, not a ${kindName(node)}`);
  return '';
}

/** Shared by all empty lists to save memory, because most lists are empty. */
export const EMPTY_LIST: readonly never[] = [];

/** The items of a list; an empty list if it is missing or null. */
export function items(
  reading: SpecReading,
  node: YamlNode | undefined,
  what: string,
  of: string,
): readonly YamlNode[] {
  if (node === undefined || isNull(node)) return EMPTY_LIST;
  if (node.kind === 'sequence') return node.items;
  const hint = node.kind === 'scalar' ? `Write a list, with '- ' before each item` : undefined;
  const found = node.kind === 'scalar' ? 'single value' : kindName(node);
  wrongType(reading, node, `${what} must be a list of ${of}, not a ${found}`, hint);
  return [];
}

/** The scalars of a list of strings. */
export function scalars(reading: SpecReading, owner: YamlMapping, key: string): readonly YamlScalar[] {
  const list = items(reading, entry(owner, key), key, 'strings');
  if (list.length === 0) return EMPTY_LIST;
  const found: YamlScalar[] = [];
  for (const item of list) {
    if (item.kind === 'scalar') found.push(item);
    else {
      const message = `each item of ${key} must be a string, not a ${kindName(item)}`;
      wrongType(reading, item, message, quotingHint(reading, item));
    }
  }
  return found;
}

/** A list of strings, each with its place. Null items are empty strings. */
export function texts(reading: SpecReading, owner: YamlMapping, key: string): readonly Located<string>[] {
  const found = scalars(reading, owner, key);
  if (found.length === 0) return EMPTY_LIST;
  return found.map((node) => located(reading, node, isNull(node) ? '' : node.text));
}

/** Unquoted, a command that contains `: ` is a map in YAML, and one that starts with a bracket is a list. */
function quotingHint({ source: { text } }: SpecReading, node: YamlNode): string | undefined {
  if (node.kind === 'scalar') return undefined;
  const holds = node.kind === 'mapping' ? "starts with '{' or contains ': '" : "starts with '[' or '- '";
  const [line = ''] = text.slice(node.start).split('\n', 1);
  const form = line.trimEnd().endsWith(':') ? '' : `: ${quoted(line.trimEnd())}`;
  return `Put text that ${holds} in quotes${form}, or write it after a '|'`;
}

/** A boolean, possibly written as a string; false if it is missing. */
export function flag(reading: SpecReading, owner: YamlMapping, key: string): boolean {
  const node = entry(owner, key);
  if (node === undefined) return false;
  if (node.kind === 'scalar') {
    if (/^(?:true|yes|on|y)$/i.test(node.text)) return true;
    if (/^(?:false|no|off|n|)$/i.test(node.text)) return false;
  }
  const found = node.kind === 'scalar' ? JSON.stringify(node.text) : `a ${kindName(node)}`;
  wrongType(reading, node, `${key} must be true or false, not ${found}`);
  return false;
}

/** Shared by all packages without labels to save memory. */
const NO_TEXTS: ReadonlyMap<string, string> = new Map();

/** A map of strings. */
export function textMap(reading: SpecReading, owner: YamlMapping, key: string): ReadonlyMap<string, string> {
  const node = entry(owner, key);
  if (node === undefined) return NO_TEXTS;
  const map = new Map<string, string>();
  if (node.kind !== 'mapping') {
    const found = node.kind === 'scalar' ? 'single value' : kindName(node);
    wrongType(reading, node, `${key} must be a map of strings, not a ${found}`);
    return map;
  }
  for (const [name, { value }] of node.pairs) map.set(name, text(reading, value, `${key}.${name}`));
  return map;
}
