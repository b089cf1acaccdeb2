/**
 * Writes TOML as the library behind Helm's `toToml` does. Templates can see the error messages, so these are
 * the library's.
 */

import { formatFloat } from './fmt/float.ts';
import {
  entriesOf,
  Failure,
  GoObject,
  isNilMap,
  itemsOf,
  kindOf,
  type Maybe,
  Sized,
  sortedKeys,
  TypedList,
  type Value,
} from './value.ts';
import { work } from './work.ts';

/** Thrown for a value that TOML cannot represent. `toToml` returns its message. */
export class TomlFailure extends Failure {}

function refuse(reason: string): never {
  throw new TomlFailure(`toml: ${reason}`);
}

const SHORT: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

const quoted = (text: string): string =>
  `"${text.replace(/["\\\x00-\x1f\x7f]/g, (c) => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;

const keyText = (name: string): string => (/^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name));

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const digits = formatFloat(value, 'g', -1);
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

const isNil = (value: Maybe): boolean =>
  value === null ||
  value === undefined ||
  (value instanceof Map && isNilMap(value)) ||
  (value instanceof TypedList && value.isNil);

type Shape = 'nothing' | 'value' | 'table' | 'tables';

/** How a value is written. Fails for lists with nil elements, which TOML cannot represent. */
function shapeOf(value: Maybe): Shape {
  work(1);
  if (isNil(value)) return 'nothing';
  const items = itemsOf(value);
  if (items !== undefined) {
    const shapes = items.map(shapeOf);
    if (shapes.includes('nothing')) refuse('cannot encode array with nil element');
    return shapes.length > 0 && shapes.every((shape) => shape === 'table') ? 'tables' : 'value';
  }
  if (entriesOf(value) !== undefined) return 'table';
  if (kindOf(value) === 'complex128') throw new TomlFailure(`unsupported type: ${kindOf(value)}`);
  return 'value';
}

function inline(value: Maybe): string {
  work(1);
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      return floatText(value);
  }
  if (value instanceof Sized) {
    return value.named?.name === 'time.Duration'
      ? quoted(value.named.text(value.value))
      : String(value.value);
  }
  if (value instanceof GoObject) return value.kind === 'struct' ? String(value.json()) : quoted(value.text());
  const items = itemsOf(value);
  if (items !== undefined) return `[${items.map(inline).join(', ')}]`;
  const entries = entriesOf(value) ?? new Map<string, Value>();
  const { direct, tables } = partsOf(entries);
  const comma = (keys: readonly string[], trailing: boolean): string =>
    keys
      .filter((key) => !isNil(entries.get(key)))
      .map((key) => {
        const last = key === keys.at(-1) && !trailing;
        return `${keyText(key)} = ${inline(entries.get(key))}${last ? '' : ', '}`;
      })
      .join('');
  return `{${comma(direct, tables.length > 0)}${comma(tables, false)}}`;
}

/** The keys of a table: first those with plain values, then those of nested tables. */
function partsOf(entries: ReadonlyMap<string, Value>): { direct: string[]; tables: string[] } {
  const direct: string[] = [];
  const tables: string[] = [];
  for (const key of sortedKeys(entries)) {
    const shape = shapeOf(entries.get(key));
    (shape === 'table' || shape === 'tables' ? tables : direct).push(key);
  }
  return { direct, tables };
}

class TomlWriter {
  out = '';

  #gap(): void {
    if (this.out !== '') this.out += '\n';
  }

  /** Writes the keys of the table at `path`. */
  table(path: readonly string[], entries: ReadonlyMap<string, Value>): void {
    const { direct, tables } = partsOf(entries);
    for (const key of direct) {
      const value = entries.get(key);
      if (!isNil(value)) this.out += `${'  '.repeat(path.length)}${keyText(key)} = ${inline(value)}\n`;
    }
    for (const key of tables) this.#sub([...path, key], entries.get(key));
  }

  #sub(path: readonly string[], value: Maybe): void {
    const pad = '  '.repeat(path.length - 1);
    const name = path.map(keyText).join('.');
    const items = itemsOf(value);
    if (items === undefined) {
      if (path.length === 1) this.#gap();
      this.out += `${pad}[${name}]\n`;
      this.table(path, entriesOf(value) ?? new Map());
      return;
    }
    for (const item of items) {
      this.#gap();
      this.out += `${pad}[[${name}]]\n`;
      this.table(path, entriesOf(item) ?? new Map());
    }
  }
}

/**
 * Formats a value as TOML; usually a map. Throws a TomlFailure if TOML cannot represent it, and a Failure for
 * a missing value.
 */
export function toToml(value: Maybe): string {
  if (value === null || value === undefined) throw new Failure('cannot write a missing value as TOML');
  const entries = entriesOf(value);
  if (entries === undefined) {
    if (itemsOf(value) !== undefined && shapeOf(value) === 'tables')
      refuse('top-level values must be Go maps or structs');
    if (kindOf(value) === 'complex128') throw new TomlFailure("unsupported type for key '': complex128");
    return inline(value);
  }
  const writer = new TomlWriter();
  writer.table([], entries);
  return writer.out;
}
