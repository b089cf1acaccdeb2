/** TOML as the library behind Helm's `toToml` writes it. */

import { formatFloat } from './fmt/float.ts';
import {
  entriesOf,
  fail,
  GoObject,
  itemsOf,
  type Maybe,
  Sized,
  sortedKeys,
  typeOf,
  type Value,
} from './value.ts';

const SHORT: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

const text = (value: string): string =>
  `"${value.replace(/["\\\x00-\x1f\x7f]/g, (c) => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;

const key = (name: string): string => (/^[A-Za-z0-9_-]+$/.test(name) ? name : text(name));

function float(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const digits = formatFloat(value, 'f', -1);
  return digits.includes('.') ? digits : `${digits}.0`;
}

/** Whether a value is written as tables of its own. */
function isTables(value: Maybe): boolean {
  const items = itemsOf(value);
  return items !== undefined && items.length > 0 && items.every((item) => entriesOf(item) !== undefined);
}

const present = (entries: ReadonlyMap<string, Value>): string[] =>
  sortedKeys(entries).filter((name) => entries.get(name) !== null);

function inline(value: Maybe): string {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      return float(value);
  }
  if (value instanceof Sized) return String(value.value);
  if (value instanceof GoObject) return value.kind === 'struct' ? String(value.json()) : text(value.text());
  const items = itemsOf(value);
  if (items !== undefined) {
    if (items.includes(null)) fail('toml: cannot encode array with nil element');
    return `[${items.map(inline).join(', ')}]`;
  }
  const entries = entriesOf(value);
  if (entries === undefined) return fail(`toml: unsupported type: ${typeOf(value)}`);
  return `{${present(entries)
    .map((name) => `${key(name)} = ${inline(entries.get(name))}`)
    .join(', ')}}`;
}

class Writer {
  out = '';

  table(path: readonly string[], entries: ReadonlyMap<string, Value>): void {
    const names = present(entries);
    const isSub = (name: string): boolean =>
      entriesOf(entries.get(name)) !== undefined || isTables(entries.get(name));
    const pad = '  '.repeat(Math.max(path.length - 1, 0)) + (path.length > 0 ? '  ' : '');
    for (const name of names.filter((n) => !isSub(n)))
      this.out += `${pad}${key(name)} = ${inline(entries.get(name))}\n`;
    for (const name of names.filter(isSub)) {
      const value = entries.get(name);
      const inner = [...path, name];
      const items = itemsOf(value);
      const header = '  '.repeat(path.length) + (items === undefined ? '[' : '[[');
      for (const table of items ?? [value]) {
        if (this.out !== '') this.out += '\n';
        this.out += `${header}${inner.map(key).join('.')}${items === undefined ? ']' : ']]'}\n`;
        this.table(inner, entriesOf(table) ?? new Map());
      }
    }
  }
}

/** A map as TOML; fails where it has no form in TOML. */
export function toToml(value: Maybe): string {
  const entries = entriesOf(value);
  if (entries === undefined) fail('toml: top-level values must be Go maps or structs');
  const writer = new Writer();
  writer.table([], entries);
  return writer.out;
}
