import type { Severity } from '../../diagnostic/index.ts';
import { kindName, type YamlNode, type YamlPair, type YamlScalar } from './node.ts';

/** Optional parts of a problem. */
export interface ReportOptions {
  /** Offset after the last character. */
  readonly end?: number | undefined;
  /** Default: error. */
  readonly severity?: Severity;
  readonly note?: { readonly message: string; readonly at: number };
  readonly hint?: string | undefined;
}

/** Records a problem at an offset. */
export type Report = (code: string, message: string, start: number, more?: ReportOptions) => void;

/**
 * Builds a map key by key in the order of the file, as Luet does: the last value of a key is used, and `<<`
 * also replaces keys before it.
 */
export class MapBuilder {
  readonly pairs = new Map<string, YamlPair>();
  readonly #report: Report;
  /** Keys that were set by `<<`. A later key may replace them without a warning. */
  #merged: Set<string> | undefined;
  #merge: YamlScalar | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Adds a key and its value. */
  add(key: YamlNode, value: YamlNode): void {
    if (key.kind !== 'scalar') {
      this.#report('wrong-type', `a key must be a string, not a ${kindName(key)}`, key.start);
    } else if (key.tag === '!!merge' || (key.plain && key.text === '<<')) {
      this.#addMerge(key, value);
    } else {
      const before = this.pairs.get(key.text);
      if (before !== undefined && this.#merged?.delete(key.text) !== true) this.#duplicate(key, before.key);
      this.pairs.set(key.text, { key, value });
    }
  }

  #addMerge(at: YamlScalar, value: YamlNode): void {
    if (this.#merge !== undefined)
      this.#duplicate(at, this.#merge, 'Write a single << with a list of maps; the first map has priority');
    this.#merge = at;
    this.#merged ??= new Set();
    // Of several maps in a list, the first one that has the key is used.
    const here = new Set<string>();
    for (const from of value.kind === 'sequence' ? value.items : [value]) {
      if (from.kind !== 'mapping') {
        const message = `<< must be a map or a list of maps, not a ${kindName(from)}`;
        this.#report('yaml-merge', message, at.start, { end: at.end });
        continue;
      }
      for (const [key, pair] of from.pairs) {
        if (here.has(key)) continue;
        here.add(key);
        const before = this.pairs.get(key);
        if (before !== undefined && !this.#merged.has(key)) this.#replaced(key, before, pair, at);
        this.pairs.set(key, pair);
        this.#merged.add(key);
      }
    }
  }

  #duplicate(key: YamlScalar, first: YamlScalar, hint?: string): void {
    const message = `duplicate key ${JSON.stringify(key.text)}; this last value is used`;
    const note = { message: 'first use of the key', at: first.start };
    const end = key.end < 0 ? undefined : key.end;
    this.#report('yaml-duplicate-key', message, key.start, { end, severity: 'warning', note, hint });
  }

  /** Warns, because in other YAML readers the keys of the map itself have priority, wherever `<<` is. */
  #replaced(key: string, before: YamlPair, { value }: YamlPair, at: YamlScalar): void {
    const old = before.value;
    if (old === value || (old.kind === 'scalar' && value.kind === 'scalar' && old.text === value.text))
      return;
    this.#report('yaml-duplicate-key', `<< replaces the key ${JSON.stringify(key)} before it`, at.start, {
      end: at.end,
      severity: 'warning',
      note: { message: 'first use of the key', at: before.key.start },
      hint: 'Write << before the keys that it must not replace',
    });
  }
}
