import type { Severity } from '../../diagnostic/index.ts';
import { kindName, type YamlNode, type YamlPair, type YamlScalar } from './node.ts';

/** What a finding says besides its code, its sentence and where it begins. */
export interface Details {
  /** Offset just behind it. */
  readonly end?: number | undefined;
  /** An error where absent. */
  readonly severity?: Severity;
  readonly note?: { readonly message: string; readonly at: number };
  readonly hint?: string | undefined;
}

/** Records a finding at an offset. */
export type Report = (code: string, message: string, start: number, more?: Details) => void;

/**
 * Fills one map, key after key. As in Luet, a map is filled in the order in which it is written: of several values for
 * one key the last one counts, and `<<` also replaces keys that stand before it.
 */
export class MapBuilder {
  readonly pairs = new Map<string, YamlPair>();
  readonly #report: Report;
  /** The keys that `<<` brought: a key behind it is meant to replace them. */
  #merged: Set<string> | undefined;
  #merge: YamlScalar | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Adds one key and its value. */
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
      this.#duplicate(at, this.#merge, 'Write one << with a list, in which the first map counts most');
    this.#merge = at;
    this.#merged ??= new Set();
    // Of several maps in a list, the first that has a key counts.
    const here = new Set<string>();
    for (const from of value.kind === 'sequence' ? value.items : [value]) {
      if (from.kind !== 'mapping') {
        const message = `<< takes a map or a list of maps, not a ${kindName(from)}`;
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
    const message = `the key ${JSON.stringify(key.text)} is given twice in one map; this value counts`;
    const note = { message: 'it is given here first', at: first.start };
    const end = key.end < 0 ? undefined : key.end;
    this.#report('yaml-duplicate-key', message, key.start, { end, severity: 'warning', note, hint });
  }

  /** Other readers of YAML let the key of the map itself count, wherever `<<` stands. */
  #replaced(key: string, before: YamlPair, { value }: YamlPair, at: YamlScalar): void {
    const old = before.value;
    if (old === value || (old.kind === 'scalar' && value.kind === 'scalar' && old.text === value.text))
      return;
    this.#report(
      'yaml-duplicate-key',
      `<< replaces the key ${JSON.stringify(key)}, which stands before it`,
      at.start,
      {
        end: at.end,
        severity: 'warning',
        note: { message: 'it is given here first', at: before.key.start },
        hint: 'Write << before the keys that it is not to replace',
      },
    );
  }
}
