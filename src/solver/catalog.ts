import { admits, intersects, parseSelector, type Selector, versionKey } from '../version/index.ts';
import type { Candidate, Requirement } from './types.ts';

/** All versions of one name. */
export interface Family {
  /** Its place among the families of its universe, which are sorted by name. */
  readonly number: number;
  readonly name: string;
  /** Oldest first; equal versions in the order of their text, then of their ids. */
  readonly members: readonly Candidate[];
  /** The members' version keys. */
  readonly keys: readonly string[];
}

/** First and last index (both included) of neighbouring members of a family. */
export type Span = readonly [first: number, last: number];

/** Those members of one family that satisfy a requirement. */
export interface Group {
  readonly family: Family;
  /** Not empty; ascending, with at least one member left out between two. */
  readonly spans: readonly Span[];
  /** Whether they stand in for the required name rather than bear it. */
  readonly provider: boolean;
}

/** What can satisfy a requirement. */
export interface Options {
  readonly name: string;
  readonly selector: string;
  /** Providers before the name itself; of several providers the one that provides the newest version first. */
  readonly groups: readonly Group[];
  /** Whether several names provide it, so that it is better decided once the plain requirements are. */
  readonly choice: boolean;
}

/** A family whose keys are made when they are asked for: most have one member, and most are never matched. */
class NamedFamily implements Family {
  readonly number: number;
  readonly name: string;
  readonly members: readonly Candidate[];
  #keys: readonly string[] | undefined;

  constructor(number: number, name: string, members: readonly Candidate[]) {
    this.number = number;
    this.name = name;
    this.members = members;
  }

  get keys(): readonly string[] {
    this.#keys ??= this.members.map(({ version }) => versionKey(version));
    return this.#keys;
  }
}

/** Oldest first. */
function byVersion(candidates: readonly Candidate[]): readonly Candidate[] {
  if (candidates.length === 1) return candidates;
  return candidates
    .map((candidate) => ({ candidate, key: versionKey(candidate.version) }))
    .sort(
      (a, b) =>
        compareText(a.key, b.key) ||
        compareText(a.candidate.version, b.candidate.version) ||
        compareText(a.candidate.id, b.candidate.id),
    )
    .map(({ candidate }) => candidate);
}

interface Provision {
  readonly family: Family;
  readonly index: number;
  readonly selector: Selector;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Candidates, indexed once for any number of requests. Parsed selectors and options are kept as they arise. */
export class Catalog {
  readonly #families = new Map<string, Family>();
  readonly #provisions = new Map<string, Provision[]>();
  readonly #places = new Map<string, { readonly family: Family; readonly index: number }>();
  readonly #selectors = new Map<string, Selector | undefined>();
  readonly #options = new Map<string, Map<string, Options>>();

  /** Throws where two candidates have one id. */
  constructor(candidates: Iterable<Candidate>) {
    const byName = new Map<string, Candidate[]>();
    for (const candidate of candidates) {
      const same = byName.get(candidate.name);
      if (same === undefined) byName.set(candidate.name, [candidate]);
      else same.push(candidate);
    }
    for (const name of [...byName.keys()].sort(compareText)) {
      const family = new NamedFamily(this.#families.size, name, byVersion(byName.get(name) ?? []));
      this.#families.set(name, family);
      family.members.forEach((candidate, index) => {
        this.#place(family, index, candidate);
      });
    }
  }

  #place(family: Family, index: number, candidate: Candidate): void {
    if (this.#places.has(candidate.id)) throw new RangeError(`two candidates have the id ${candidate.id}`);
    this.#places.set(candidate.id, { family, index });
    for (const provided of candidate.provides) {
      const selector = this.selector(provided.selector);
      if (selector === undefined) continue;
      const provision = { family, index, selector };
      const same = this.#provisions.get(provided.name);
      if (same === undefined) this.#provisions.set(provided.name, [provision]);
      else same.push(provision);
    }
  }

  /** Every name that a candidate bears, in order. */
  names(): Iterable<string> {
    return this.#families.keys();
  }

  /** Every name that a candidate provides. */
  providedNames(): Iterable<string> {
    return this.#provisions.keys();
  }

  /** The candidates of a name, oldest first; none where nothing bears it. */
  versionsOf(name: string): readonly Candidate[] {
    return this.#families.get(name)?.members ?? [];
  }

  /** The candidates that provide a name in any version, by name, then oldest first. */
  providersOf(name: string): readonly Candidate[] {
    const providers = this.#provisions.get(name) ?? [];
    return [...new Set(providers.map(({ family, index }) => family.members[index]))].filter(
      (candidate) => candidate !== undefined,
    );
  }

  /** The candidate of an id, or undefined. */
  candidate(id: string): Candidate | undefined {
    const place = this.#places.get(id);
    return place?.family.members[place.index];
  }

  /** Where a candidate stands among the versions of its name; throws for an unknown id. */
  place(id: string): { readonly family: Family; readonly index: number } {
    const place = this.#places.get(id);
    if (place === undefined) throw new RangeError(`no candidate of this universe has the id ${id}`);
    return place;
  }

  /** A selector as read, or undefined for a text that is none: it admits nothing. */
  selector(text: string): Selector | undefined {
    const known = this.#selectors.get(text);
    if (known !== undefined || this.#selectors.has(text)) return known;
    const parsed = parseSelector(text);
    const selector = 'error' in parsed ? undefined : parsed;
    this.#selectors.set(text, selector);
    return selector;
  }

  /** Whether one candidate, whatever else there is, satisfies a requirement by its name or what it provides. */
  satisfies(candidate: Candidate, { name, selector: text }: Requirement): boolean {
    const selector = this.selector(text);
    if (selector === undefined) return false;
    if (candidate.name === name && admits(selector, candidate.version)) return true;
    return candidate.provides.some((provided) => {
      const offer = provided.name === name ? this.selector(provided.selector) : undefined;
      return offer !== undefined && intersects(offer, selector);
    });
  }

  /** What can satisfy a requirement; found once for each name and selector. */
  options({ name, selector: text }: Requirement): Options {
    let ofName = this.#options.get(name);
    if (ofName === undefined) {
      ofName = new Map();
      this.#options.set(name, ofName);
    }
    let options = ofName.get(text);
    if (options === undefined) {
      options = this.#match(name, text);
      ofName.set(text, options);
    }
    return options;
  }

  #match(name: string, text: string): Options {
    const selector = this.selector(text);
    if (selector === undefined) return { name, selector: text, groups: [], choice: false };
    const found = new Map<Family, { indexes: number[]; best: string }>();
    const own = this.#families.get(name);
    let ownSpans = own === undefined ? [] : admittedSpans(own.keys, selector);
    for (const { family, index, selector: offer } of this.#provisions.get(name) ?? []) {
      if (!intersects(offer, selector)) continue;
      // A package that provides its own name answers to more selectors, but it replaces nothing.
      if (family === own) {
        ownSpans = mergeSpans([...ownSpans, [index, index]]);
        continue;
      }
      const best = offer.relation === '=' ? offer.key : '';
      const group = found.get(family);
      if (group === undefined) found.set(family, { indexes: [index], best });
      else {
        group.indexes.push(index);
        if (best > group.best) group.best = best;
      }
    }
    const groups: Group[] = [...found]
      .sort(([f, a], [g, b]) => compareText(b.best, a.best) || compareText(f.name, g.name))
      .map(([family, { indexes }]) => ({
        family,
        spans: mergeSpans(indexes.map((index): Span => [index, index])),
        provider: true,
      }));
    const choice = groups.length > 1;
    if (own !== undefined && ownSpans.length > 0) {
      groups.push({ family: own, spans: ownSpans, provider: false });
    }
    return { name, selector: text, groups, choice };
  }
}

/** The spans of ascending keys that a selector admits, by bisection. */
function admittedSpans(keys: readonly string[], selector: Selector): Span[] {
  const all: Span = [0, keys.length - 1];
  if (selector.relation === 'any') return [all];
  // The first key that is not older, and the first that is newer.
  const from = firstWhere(keys, (key) => key >= selector.key);
  const behind = firstWhere(keys, (key) => key > selector.key);
  const spans: Record<typeof selector.relation, Span[]> = {
    '=': [[from, behind - 1]],
    '!=': [
      [0, from - 1],
      [behind, all[1]],
    ],
    '>': [[behind, all[1]]],
    '>=': [[from, all[1]]],
    '<': [[0, from - 1]],
    '<=': [[0, behind - 1]],
  };
  return mergeSpans(spans[selector.relation].filter(([first, last]) => first <= last));
}

/** The index of the first key for which a condition holds that holds for all keys behind it. */
function firstWhere(keys: readonly string[], condition: (key: string) => boolean): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (condition(keys[middle] ?? '')) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Spans in order, with neighbours and overlaps joined. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: [number, number][] = [];
  for (const [first, last] of [...spans].sort((a, b) => a[0] - b[0])) {
    const before = merged.at(-1);
    if (before !== undefined && before[1] + 1 >= first) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}
