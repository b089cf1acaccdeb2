import type { Advice, Diagnostic, Note, Place, Severity } from '../diagnostic/index.ts';
import type { Located } from './types.ts';
import {
  entry,
  isNull,
  kindName,
  type Source,
  type YamlMapping,
  type YamlNode,
  type YamlScalar,
} from './yaml/index.ts';

/** One file being read: where its nodes stand, and what was found wrong so far. */
export interface Reading {
  readonly source: Source;
  readonly problems: Diagnostic[];
  /** How bad an unknown key is that was most likely meant to be a known one; a warning where absent. */
  readonly misspelled?: Severity;
}

/** What a finding says besides its code and place. */
export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly severity?: Severity;
  readonly hint?: string | undefined;
  readonly advice?: Advice | undefined;
}

/** Records a finding at a node. */
export function report(reading: Reading, node: YamlNode, finding: Finding): void {
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

/** A value at the place of a node. */
export function located<T>(reading: Reading, node: YamlNode, value: T): Located<T> {
  return new LocatedNode(value, reading.source, node.start);
}

// Places are found when they are asked for: hardly any is, and they take several times the room of what stands there.
class LocatedNode<T> implements Located<T> {
  readonly value: T;
  readonly #source: Source;
  readonly #start: number;

  constructor(value: T, source: Source, start: number) {
    this.value = value;
    this.#source = source;
    this.#start = start;
  }

  get place(): Place {
    return this.#source.place(this.#start);
  }

  get notes(): readonly Note[] | undefined {
    const notes = this.#source.notes?.(this.#start) ?? NOTHING;
    return notes.length === 0 ? undefined : notes;
  }
}

function wrongType(reading: Reading, node: YamlNode, message: string, hint?: string): void {
  report(reading, node, { code: 'wrong-type', message, hint });
}

/** The text of a scalar as written, so that `1.10` stays `1.10`; empty for null. */
export function text(reading: Reading, node: YamlNode | undefined, what: string): string {
  if (node === undefined || isNull(node)) return '';
  if (node.kind === 'scalar') return node.text;
  wrongType(reading, node, `${what} must be a string, not a ${kindName(node)}`);
  return '';
}

/** Most lists are empty; one list is enough for all of them. */
export const NOTHING: readonly never[] = [];

/** The items of a list; none where it is absent or null. */
export function items(
  reading: Reading,
  node: YamlNode | undefined,
  what: string,
  of: string,
): readonly YamlNode[] {
  if (node === undefined || isNull(node)) return NOTHING;
  if (node.kind === 'sequence') return node.items;
  const hint = node.kind === 'scalar' ? `Write it as a list: '- ' before each of its items` : undefined;
  const found = node.kind === 'scalar' ? 'single value' : kindName(node);
  wrongType(reading, node, `${what} must be a list of ${of}, not a ${found}`, hint);
  return [];
}

/** The scalars of a list of strings. */
export function scalars(reading: Reading, owner: YamlMapping, key: string): readonly YamlScalar[] {
  const list = items(reading, entry(owner, key), key, 'strings');
  if (list.length === 0) return NOTHING;
  const found: YamlScalar[] = [];
  for (const item of list) {
    if (item.kind === 'scalar') found.push(item);
    else {
      const message = `each item of ${key} must be a string, not a ${kindName(item)}`;
      wrongType(reading, item, message, quotingHint(item));
    }
  }
  return found;
}

/** A list of strings, each with its place. Null items are empty strings. */
export function texts(reading: Reading, owner: YamlMapping, key: string): readonly Located<string>[] {
  const found = scalars(reading, owner, key);
  if (found.length === 0) return NOTHING;
  return found.map((node) => located(reading, node, isNull(node) ? '' : node.text));
}

/** A command with `: ` in it reads as a map, and one that begins with a bracket as a list. */
function quotingHint(node: YamlNode): string | undefined {
  if (node.kind === 'mapping') return "Text that holds ': ' must be quoted, or stand under a '|'";
  if (node.kind === 'sequence')
    return "Text that begins with '[' or '- ' must be quoted, or stand under a '|'";
  return undefined;
}

/** A boolean, also written as a string; false where it is absent. */
export function flag(reading: Reading, owner: YamlMapping, key: string): boolean {
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

/** Most packages have no labels; one empty map is enough for all of them. */
const NO_TEXTS: ReadonlyMap<string, string> = new Map();

/** A map of strings. */
export function textMap(reading: Reading, owner: YamlMapping, key: string): ReadonlyMap<string, string> {
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
