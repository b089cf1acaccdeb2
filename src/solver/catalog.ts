import { admits, intersects, parseSelector, type Selector, versionKey } from '../version/index.ts';
import type { Candidate, Requirement } from './types.ts';

/** All versions of one package name. */
export interface Family {
  /** Index in the list of families, which is sorted by name. */
  readonly number: number;
  readonly name: string;
  /** Oldest first. Equal versions are sorted by their text, then by id. */
  readonly members: readonly Candidate[];
  /** The version keys of the members. */
  readonly keys: readonly string[];
}

/** Indexes of the first and last member (both inclusive) of a range in a family. */
export type IndexRange = readonly [first: number, last: number];

/** The members of one family that satisfy a requirement. */
export interface CandidateGroup {
  readonly family: Family;
  /** Not empty; ascending, and not adjacent. */
  readonly spans: readonly IndexRange[];
  /** Whether they provide the required name, instead of having it. */
  readonly provider: boolean;
}

/** Everything that can satisfy a requirement. */
export interface RequirementOptions {
  readonly name: string;
  readonly selector: string;
  /**
   * Providers first, then the name itself. Of several providers, the one with the newest provided version is
   * first.
   */
  readonly groups: readonly CandidateGroup[];
  /** Whether several names provide it. Such a requirement is decided after the others. */
  readonly choice: boolean;
}

/** A family that computes its keys on demand, because most families have one member and are never matched. */
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

/** Sorts candidates, oldest first. */
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

/**
 * The index of all candidates, built once for any number of requests. Caches parsed selectors and options.
 */
export class Catalog {
  readonly #families = new Map<string, Family>();
  readonly #provisions = new Map<string, Provision[]>();
  readonly #places = new Map<string, { readonly family: Family; readonly index: number }>();
  readonly #selectors = new Map<string, Selector | undefined>();
  readonly #options = new Map<string, Map<string, RequirementOptions>>();

  /** Throws if two candidates have the same id. */
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

  /** All names of candidates, sorted. */
  names(): Iterable<string> {
    return this.#families.keys();
  }

  /** All provided names. */
  providedNames(): Iterable<string> {
    return this.#provisions.keys();
  }

  /** The candidates with a name, oldest first; empty if there are none. */
  versionsOf(name: string): readonly Candidate[] {
    return this.#families.get(name)?.members ?? [];
  }

  /** The candidates that provide a name in any version, sorted by name, then oldest first. */
  providersOf(name: string): readonly Candidate[] {
    const providers = this.#provisions.get(name) ?? [];
    return [...new Set(providers.map(({ family, index }) => family.members[index]))].filter(
      (candidate) => candidate !== undefined,
    );
  }

  /** The candidate with this id, or undefined. */
  candidate(id: string): Candidate | undefined {
    const place = this.#places.get(id);
    return place?.family.members[place.index];
  }

  /** The family and index of a candidate. Throws if the id is unknown. */
  place(id: string): { readonly family: Family; readonly index: number } {
    const place = this.#places.get(id);
    if (place === undefined) throw new RangeError(`no candidate of this universe has the id ${id}`);
    return place;
  }

  /** A parsed selector; undefined if it is invalid, so that it admits no version. */
  selector(text: string): Selector | undefined {
    const known = this.#selectors.get(text);
    if (known !== undefined || this.#selectors.has(text)) return known;
    const parsed = parseSelector(text);
    const selector = 'error' in parsed ? undefined : parsed;
    this.#selectors.set(text, selector);
    return selector;
  }

  /** Whether a candidate satisfies a requirement by its name or by what it provides. */
  satisfies(candidate: Candidate, { name, selector: text }: Requirement): boolean {
    const selector = this.selector(text);
    if (selector === undefined) return false;
    if (candidate.name === name && admits(selector, candidate.version)) return true;
    return candidate.provides.some((provided) => {
      const offer = provided.name === name ? this.selector(provided.selector) : undefined;
      return offer !== undefined && intersects(offer, selector);
    });
  }

  /** Everything that can satisfy a requirement. Cached for each name and selector. */
  options({ name, selector: text }: Requirement): RequirementOptions {
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

  #match(name: string, text: string): RequirementOptions {
    const selector = this.selector(text);
    if (selector === undefined) return { name, selector: text, groups: [], choice: false };
    const found = new Map<Family, { indexes: number[]; best: string }>();
    const own = this.#families.get(name);
    let ownSpans = own === undefined ? [] : admittedSpans(own.keys, selector);
    for (const { family, index, selector: offer } of this.#provisions.get(name) ?? []) {
      if (!intersects(offer, selector)) continue;
      // A package that provides its own name satisfies more selectors, but replaces no other package.
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
    const groups: CandidateGroup[] = [...found]
      .sort(([f, a], [g, b]) => compareText(b.best, a.best) || compareText(f.name, g.name))
      .map(([family, { indexes }]) => ({
        family,
        spans: mergeSpans(indexes.map((index): IndexRange => [index, index])),
        provider: true,
      }));
    const choice = groups.length > 1;
    if (own !== undefined && ownSpans.length > 0) {
      groups.push({ family: own, spans: ownSpans, provider: false });
    }
    return { name, selector: text, groups, choice };
  }
}

/** The ranges of keys that a selector admits, found by binary search. */
function admittedSpans(keys: readonly string[], selector: Selector): IndexRange[] {
  const all: IndexRange = [0, keys.length - 1];
  if (selector.relation === 'any') return [all];
  // The first key that is not older, and the first key that is newer.
  const from = firstWhere(keys, (key) => key >= selector.key);
  const behind = firstWhere(keys, (key) => key > selector.key);
  const spans: Record<typeof selector.relation, IndexRange[]> = {
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

/** Index of the first key that fulfils a condition. All later keys must fulfil it too. */
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

/** Sorted ranges, with adjacent and overlapping ones merged. */
export function mergeSpans(spans: readonly IndexRange[]): IndexRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of [...spans].sort((a, b) => a[0] - b[0])) {
    const before = merged.at(-1);
    if (before !== undefined && before[1] + 1 >= first) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}
