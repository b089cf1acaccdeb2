import { type Catalog, type Family, type Group, mergeSpans, type Options, type Span } from './catalog.ts';
import { negate, positive } from './literal.ts';
import { Sat } from './sat.ts';
import type { Candidate, Requirement } from './types.ts';

/** A group, and the literal that implies that one of its members is chosen. */
export interface CodedGroup extends Group {
  readonly literal: number;
}

/** What can satisfy a requirement, and the literal that implies that something does. */
export interface Need {
  readonly options: Options;
  readonly groups: readonly CodedGroup[];
  readonly literal: number;
}

/** A requirement of a candidate; without a need where the candidate satisfies it itself. */
export interface Demand {
  readonly requirement: Requirement;
  readonly need: Need | undefined;
}

/** A family with its variables: variable `base + k` says "a member with index k or higher is chosen". */
interface Coded {
  readonly family: Family;
  readonly base: number;
  /** Literals of sets of members, by their spans. */
  readonly groups: Map<string, number>;
  /** Literals of single members, by index. */
  readonly exact: Map<number, number>;
  /** What each member requires, by index, once asked for. */
  readonly demands: (readonly Demand[])[];
  /** Whether the clauses of its members' requirements and conflicts exist. */
  loaded: boolean;
}

/**
 * A catalog as clauses. Versions are encoded by their order, so that a range is two literals, "at most one
 * version" costs one clause a version, and neighbours with the same requirement share its clause: the size
 * grows with the number of versions and requirements. Clauses arise when what they speak of is first reached,
 * and serve all later requests.
 */
export class Encoding {
  readonly sat = new Sat();
  readonly #catalog: Catalog;
  readonly #never: number;
  readonly #coded = new Map<number, Coded>();
  readonly #needs = new Map<Options, Need>();
  readonly #hits = new Map<Options, number>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    this.#never = positive(this.sat.addVariables());
    this.sat.addClause([negate(this.#never)]);
  }

  /** The literal "a member of this family with this index or a higher one is chosen". */
  atLeast(family: Family, index: number): number {
    return index >= family.members.length ? this.#never : (this.#code(family).base + index) << 1;
  }

  /** The clause "no member of this span is chosen". */
  outside(family: Family, [first, last]: Span): number[] {
    return [negate(this.atLeast(family, first)), this.atLeast(family, last + 1)];
  }

  /** A literal that is true exactly when this very member is chosen. */
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

  /** What can satisfy a requirement, without the clauses of those that do. */
  bareNeed(options: Options): Need {
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

  /** What can satisfy a requirement, with the clauses of all that it can lead to. */
  need(options: Options): Need {
    for (const { family } of options.groups) this.load(family);
    return this.bareNeed(options);
  }

  /** A literal that is true when any member that these options name is chosen. */
  hit(options: Options): number {
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

  /** What a member requires. */
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

  /** Makes the clauses of a family, and of all that its members can lead to. */
  load(family: Family): void {
    if (this.#code(family).loaded) return;
    const open = [family];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const coded = this.#code(next);
      if (coded.loaded) continue;
      coded.loaded = true;
      const needs = new Map<Need, Span[]>();
      const conflicts = new Map<Options, Span[]>();
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

  /** The chosen member of every family that clauses speak of, once all variables have values. */
  model(): Map<Family, number> {
    const model = new Map<Family, number>();
    for (const { family, base } of this.#coded.values()) {
      let count = 0;
      while (count < family.members.length && this.sat.value((base + count) << 1) > 0) count++;
      if (count > 0) model.set(family, count - 1);
    }
    return model;
  }

  #conflict(family: Family, spans: readonly Span[], options: Options): void {
    // Two versions of one package never meet, and nothing conflicts with itself.
    const others = options.groups.filter((group) => group.family !== family);
    const targets = others.flatMap((group) => group.spans.map((span) => this.outside(group.family, span)));
    for (const span of spans) {
      const outside = this.outside(family, span);
      // Several spans on both sides would multiply; one literal for all targets keeps it a sum.
      if (targets.length > 1 && spans.length > 1 && others.length === options.groups.length) {
        this.sat.addClause([...outside, negate(this.hit(options))]);
      } else {
        for (const target of targets) this.sat.addClause([...outside, ...target]);
      }
    }
  }

  #group({ family, spans }: Group): number {
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

  #code(family: Family): Coded {
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

/** Adds a member to those that demand something; members come in their order. */
function extend<K>(found: Map<K, Span[]>, key: K, index: number): void {
  const spans = found.get(key);
  if (spans === undefined) found.set(key, [[index, index]]);
  else spans.push([index, index]);
}
