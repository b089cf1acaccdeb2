import { negate, positive, Sat } from './sat.ts';
import type { Requirement } from './types.ts';
import { type Family, type Group, type Options, type Span, spansOf, type Universe } from './universe.ts';

/** A family with its variables: variable `base + k` says "a member with index k or higher is chosen". */
interface Coded {
  readonly base: number;
  /** Whether the clauses of its members' requirements and conflicts exist. */
  loaded: boolean;
}

/**
 * A universe as clauses. Versions are encoded by their order, so that a range is two literals, "at most one
 * version" costs one clause a version, and neighbours with the same requirement share its clause: the size
 * grows with the number of versions and requirements. Clauses arise when what they speak of is first reached,
 * and serve all later requests.
 */
export class Encoding {
  readonly sat = new Sat();
  readonly #universe: Universe;
  readonly #never: number;
  readonly #families = new Map<Family, Coded>();
  readonly #groups = new Map<Family, Map<string, number>>();
  readonly #exact = new Map<Family, Map<number, number>>();
  readonly #needs = new Map<Options, number>();
  readonly #hits = new Map<Options, number>();

  constructor(universe: Universe) {
    this.#universe = universe;
    this.#never = positive(this.sat.addVariables());
    this.sat.addClause([negate(this.#never)]);
  }

  /** The literal "a member of this family with this index or a higher one is chosen". */
  atLeast(family: Family, index: number): number {
    return index >= family.members.length
      ? this.#never
      : positive(this.#code(family).base + Math.max(0, index));
  }

  /** A literal that implies "one of the group's members is chosen". */
  group({ family, spans }: Group): number {
    const [first] = spans;
    if (first === undefined) return this.#never;
    if (spans.length === 1 && first[1] === family.members.length - 1) return this.atLeast(family, first[0]);
    const key = spans.join(' ');
    const known = this.#groups.get(family) ?? new Map<string, number>();
    this.#groups.set(family, known);
    let literal = known.get(key);
    if (literal === undefined) {
      literal = positive(this.sat.addVariables());
      known.set(key, literal);
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

  /** The clause "no member of this span is chosen". */
  outside(family: Family, [first, last]: Span): number[] {
    return [negate(this.atLeast(family, first)), this.atLeast(family, last + 1)];
  }

  /** A literal that is true exactly when this very member is chosen. */
  exactly(family: Family, index: number): number {
    if (index === family.members.length - 1) return this.atLeast(family, index);
    const known = this.#exact.get(family) ?? new Map<number, number>();
    this.#exact.set(family, known);
    let literal = known.get(index);
    if (literal === undefined) {
      const from = this.atLeast(family, index);
      const above = this.atLeast(family, index + 1);
      literal = positive(this.sat.addVariables());
      known.set(index, literal);
      this.sat.addClause([negate(literal), from]);
      this.sat.addClause([negate(literal), negate(above)]);
      this.sat.addClause([negate(from), above, literal]);
    }
    return literal;
  }

  /** A literal that implies that a requirement holds, with all that its satisfiers require in turn. */
  need(options: Options): number {
    this.#load(options.groups.map((group) => group.family));
    return this.bareNeed(options);
  }

  /** A literal that implies that a requirement holds, without the clauses of what could satisfy it. */
  bareNeed(options: Options): number {
    const [only, ...more] = options.groups;
    if (only === undefined) return this.#never;
    if (more.length === 0) return this.group(only);
    let literal = this.#needs.get(options);
    if (literal === undefined) {
      literal = positive(this.sat.addVariables());
      this.#needs.set(options, literal);
      this.sat.addClause([negate(literal), ...options.groups.map((group) => this.group(group))]);
    }
    return literal;
  }

  /** A literal that is true when a member that these options name is chosen, for conflicts of a request. */
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

  /** Makes the clauses of families, and of all that their members can lead to. */
  #load(families: readonly Family[]): void {
    const open = [...families];
    for (let family = open.pop(); family !== undefined; family = open.pop()) {
      const coded = this.#code(family);
      if (coded.loaded) continue;
      coded.loaded = true;
      for (const { options, spans } of this.#gathered(family, (member) =>
        member.requires.filter((required) => !this.#universe.satisfies(member, required)),
      )) {
        for (const group of options.groups) open.push(group.family);
        const need = this.bareNeed(options);
        for (const span of spans) this.sat.addClause([...this.outside(family, span), need]);
      }
      for (const { options, spans } of this.#gathered(family, (member) => member.conflicts)) {
        this.#conflict(family, spans, options);
      }
    }
  }

  /** What members of a family demand, each with the spans of members that do. */
  #gathered(
    family: Family,
    of: (member: Family['members'][number]) => readonly Requirement[],
  ): { options: Options; spans: Span[] }[] {
    const found = new Map<Options, Set<number>>();
    for (const [index, member] of family.members.entries()) {
      for (const requirement of of(member)) {
        const options = this.#universe.options(requirement);
        const indexes = found.get(options);
        if (indexes === undefined) found.set(options, new Set([index]));
        else indexes.add(index);
      }
    }
    return [...found].map(([options, indexes]) => ({ options, spans: spansOf(indexes) }));
  }

  #conflict(family: Family, spans: readonly Span[], options: Options): void {
    // Two versions of one package never meet, and nothing conflicts with itself.
    const others = options.groups.filter((group) => group.family !== family);
    const targets = others.flatMap((group) => group.spans.map((span) => ({ family: group.family, span })));
    for (const span of spans) {
      const outside = this.outside(family, span);
      // Several spans on both sides would multiply; one literal for all targets keeps it a sum.
      if (targets.length > 1 && spans.length > 1 && others.length === options.groups.length) {
        this.sat.addClause([...outside, negate(this.hit(options))]);
        continue;
      }
      for (const target of targets) {
        this.sat.addClause([...outside, ...this.outside(target.family, target.span)]);
      }
    }
  }

  #code(family: Family): Coded {
    let coded = this.#families.get(family);
    if (coded === undefined) {
      coded = { base: this.sat.addVariables(family.members.length), loaded: false };
      this.#families.set(family, coded);
      for (let index = 1; index < family.members.length; index++) {
        this.sat.addClause([negate(positive(coded.base + index)), positive(coded.base + index - 1)]);
      }
    }
    return coded;
  }
}
