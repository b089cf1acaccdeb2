import {
  type CandidateGroup,
  type Catalog,
  type Family,
  type IndexRange,
  mergeSpans,
  type RequirementOptions,
} from './catalog.ts';
import { negate, positive } from './literal.ts';
import { Sat } from './sat.ts';
import type { Candidate, Requirement } from './types.ts';

/** A group, and the literal that implies that one of its members is selected. */
export interface EncodedGroup extends CandidateGroup {
  readonly literal: number;
}

/** The options for a requirement, and the literal that implies that one of them is selected. */
export interface EncodedNeed {
  readonly options: RequirementOptions;
  readonly groups: readonly EncodedGroup[];
  readonly literal: number;
}

/** A requirement of a candidate. Without a need if the candidate satisfies it itself. */
export interface Demand {
  readonly requirement: Requirement;
  readonly need: EncodedNeed | undefined;
}

/** A family and its variables. Variable `base + k` means: a member with index k or higher is selected. */
interface EncodedFamily {
  readonly family: Family;
  readonly base: number;
  /** Literals of sets of members, by their ranges. */
  readonly groups: Map<string, number>;
  /** Literals of single members, by index. */
  readonly exact: Map<number, number>;
  /** The requirements of each member, by index; filled on demand. */
  readonly demands: (readonly Demand[])[];
  /** Whether the clauses of its members' requirements and conflicts exist. */
  loaded: boolean;
}

/**
 * The clauses of a catalog. Versions are encoded by their order: a range is two literals, "at most one
 * version" costs one clause for each version, and neighbours with the same requirement share its clause. So
 * the size grows linearly with the number of versions and requirements. Clauses are created when a request
 * first reaches their packages, and are reused by later requests.
 */
export class ClauseEncoding {
  readonly sat = new Sat();
  readonly #catalog: Catalog;
  readonly #never: number;
  readonly #coded = new Map<number, EncodedFamily>();
  readonly #needs = new Map<RequirementOptions, EncodedNeed>();
  readonly #hits = new Map<RequirementOptions, number>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    this.#never = positive(this.sat.addVariables());
    this.sat.addClause([negate(this.#never)]);
  }

  /** The literal "a member of this family with this or a higher index is selected". */
  atLeast(family: Family, index: number): number {
    return index >= family.members.length ? this.#never : (this.#code(family).base + index) << 1;
  }

  /** The clause "no member of this range is selected". */
  outside(family: Family, [first, last]: IndexRange): number[] {
    return [negate(this.atLeast(family, first)), this.atLeast(family, last + 1)];
  }

  /** A literal that is true if and only if exactly this member is selected. */
  exactly(family: Family, index: number): number {
    if (index === family.members.length - 1) return this.atLeast(family, index);
    const { exact } = this.#code(family);
    let literal = exact.get(index);
    if (literal === undefined) {
      const from = this.atLeast(family, index);
      const above = this.atLeast(family, index + 1);
      literal = positive(this.sat.addVariables());
      exact.set(index, literal);
      this.sat.addClause([negate(literal), from]);
      this.sat.addClause([negate(literal), negate(above)]);
      this.sat.addClause([negate(from), above, literal]);
    }
    return literal;
  }

  /** The need of a requirement, without the clauses of the members that satisfy it. */
  bareNeed(options: RequirementOptions): EncodedNeed {
    let need = this.#needs.get(options);
    if (need === undefined) {
      const groups = options.groups.map((group) => ({ ...group, literal: this.#group(group) }));
      let literal = groups[0]?.literal ?? this.#never;
      if (groups.length > 1) {
        literal = positive(this.sat.addVariables());
        this.sat.addClause([negate(literal), ...groups.map((group) => group.literal)]);
      }
      need = { options, groups, literal };
      this.#needs.set(options, need);
    }
    return need;
  }

  /** The need of a requirement, with the clauses of everything that it can lead to. */
  need(options: RequirementOptions): EncodedNeed {
    for (const { family } of options.groups) this.load(family);
    return this.bareNeed(options);
  }

  /** A literal that is true if any member in these options is selected. */
  hit(options: RequirementOptions): number {
    let literal = this.#hits.get(options);
    if (literal === undefined) {
      literal = positive(this.sat.addVariables());
      this.#hits.set(options, literal);
      for (const { family, spans } of options.groups) {
        for (const span of spans) this.sat.addClause([...this.outside(family, span), literal]);
      }
    }
    return literal;
  }

  /** The requirements of a member. */
  demands(family: Family, index: number): readonly Demand[] {
    const { demands } = this.#code(family);
    const known = demands[index];
    if (known !== undefined) return known;
    const member = family.members[index];
    const made = (member?.requires ?? []).map((requirement) => ({
      requirement,
      need: this.#catalog.satisfies(member as Candidate, requirement)
        ? undefined
        : this.bareNeed(this.#catalog.options(requirement)),
    }));
    demands[index] = made;
    return made;
  }

  /** Creates the clauses of a family and of everything that its members can lead to. */
  load(family: Family): void {
    if (this.#code(family).loaded) return;
    const open = [family];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const coded = this.#code(next);
      if (coded.loaded) continue;
      coded.loaded = true;
      const needs = new Map<EncodedNeed, IndexRange[]>();
      const conflicts = new Map<RequirementOptions, IndexRange[]>();
      for (const [index, { conflicts: conflicting }] of next.members.entries()) {
        for (const { need } of this.demands(next, index)) if (need !== undefined) extend(needs, need, index);
        for (const conflict of conflicting) extend(conflicts, this.#catalog.options(conflict), index);
      }
      for (const [need, spans] of needs) {
        for (const group of need.groups) open.push(group.family);
        for (const span of mergeSpans(spans)) this.sat.addClause([...this.outside(next, span), need.literal]);
      }
      for (const [options, spans] of conflicts) this.#conflict(next, mergeSpans(spans), options);
    }
  }

  /** The selected member of each encoded family, after all variables have values. */
  model(): Map<Family, number> {
    const model = new Map<Family, number>();
    for (const { family, base } of this.#coded.values()) {
      let count = 0;
      while (count < family.members.length && this.sat.value((base + count) << 1) > 0) count++;
      if (count > 0) model.set(family, count - 1);
    }
    return model;
  }

  #conflict(family: Family, spans: readonly IndexRange[], options: RequirementOptions): void {
    // Two versions of one package are never selected together, and nothing conflicts with itself.
    const others = options.groups.filter((group) => group.family !== family);
    const targets = others.flatMap((group) => group.spans.map((span) => this.outside(group.family, span)));
    for (const span of spans) {
      const outside = this.outside(family, span);
      // With several ranges on both sides, the number of clauses would be their product. One literal for all
      // targets makes it their sum.
      if (targets.length > 1 && spans.length > 1 && others.length === options.groups.length) {
        this.sat.addClause([...outside, negate(this.hit(options))]);
      } else {
        for (const target of targets) this.sat.addClause([...outside, ...target]);
      }
    }
  }

  #group({ family, spans }: CandidateGroup): number {
    const [first] = spans;
    if (first === undefined) return this.#never;
    if (spans.length === 1 && first[1] === family.members.length - 1) return this.atLeast(family, first[0]);
    const { groups } = this.#code(family);
    const key = spans.join(' ');
    let literal = groups.get(key);
    if (literal === undefined) {
      literal = positive(this.sat.addVariables());
      groups.set(key, literal);
      const no = negate(literal);
      this.sat.addClause([no, this.atLeast(family, first[0])]);
      for (const [i, [, last]] of spans.entries()) {
        const next = spans[i + 1];
        const above = negate(this.atLeast(family, last + 1));
        this.sat.addClause(next === undefined ? [no, above] : [no, above, this.atLeast(family, next[0])]);
      }
    }
    return literal;
  }

  #code(family: Family): EncodedFamily {
    let coded = this.#coded.get(family.number);
    if (coded === undefined) {
      const count = family.members.length;
      const base = this.sat.addVariables(count);
      coded = { family, base, groups: new Map(), exact: new Map(), demands: [], loaded: false };
      this.#coded.set(family.number, coded);
      for (let index = 1; index < count; index++) {
        this.sat.addClause([negate(positive(base + index)), positive(base + index - 1)]);
      }
    }
    return coded;
  }
}

/** Adds a member to those with the same demand. Members must be added in order. */
function extend<K>(found: Map<K, IndexRange[]>, key: K, index: number): void {
  const spans = found.get(key);
  if (spans === undefined) found.set(key, [[index, index]]);
  else spans.push([index, index]);
}
