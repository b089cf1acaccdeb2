import type { Catalog, Family, Group, Span } from './catalog.ts';
import { type CodedGroup, Encoding, type Need } from './encoding.ts';
import { negate } from './literal.ts';
import { probe } from './probe.ts';
import type { Candidate, Edge, Request, Requirement } from './types.ts';

/** A requirement that the walk has to satisfy, or an installed candidate that it would like to keep. */
interface Step {
  readonly from: Candidate | undefined;
  readonly requirement: Requirement | undefined;
  readonly need: Need;
  /** The installed candidate to keep where possible. */
  readonly keep?: { readonly family: Family; readonly index: number };
}

/** How long the walk's lists were when a decision was taken, to return to that point. */
type Mark = readonly [
  plain: number,
  plainAt: number,
  choices: number,
  choiceAt: number,
  chosen: number,
  edges: number,
];

/** What the walk found: the chosen candidates in the order of the walk, and who satisfies what. */
export interface Found {
  readonly chosen: readonly Candidate[];
  readonly edges: readonly Edge[];
}

/** Conflicts after which a search asks first whether a decision can lead anywhere at all. */
const EASY = 300;

/**
 * Walks from the request along the requirements of what it chooses, breadth first, and takes at each step the
 * most preferred option that is not known to be impossible. Where a contradiction shows, the clause learned
 * from it makes an earlier step take its next option. So each step ends with its best option for which, with
 * all steps before it, a solution exists: the answer does not depend on what the search happened to learn.
 *
 * That order of decisions is a poor one for hard problems. They are told by their conflicts, and then each
 * decision is first proven to lead to some solution, by a search that is free to decide in any order. Undefined
 * where there is no solution. `easy` is the number of conflicts that tells a hard problem; it changes no answer.
 */
export function search(
  catalog: Catalog,
  encoding: Encoding,
  request: Request,
  easy: number = EASY,
): Found | undefined {
  const found = walkThrough(catalog, encoding, request, easy);
  if (found !== 'hard') return found;
  // On its own, so that the free search assigns nothing but what this request can reach.
  const own = walkThrough(catalog, new Encoding(catalog), request, undefined);
  if (own === 'hard') throw new Error('a search without a limit gave up');
  return own;
}

function walkThrough(
  catalog: Catalog,
  encoding: Encoding,
  request: Request,
  limit: number | undefined,
): Found | undefined | 'hard' {
  const { sat } = encoding;
  sat.backTo(0);
  const walk = new Walk(catalog, encoding);
  const assumptions = walk.begin(request);
  const end = limit === undefined ? Number.POSITIVE_INFINITY : sat.conflicts + limit;
  /** Some solution, by its literals; where `proven`, one that agrees with all decisions so far. */
  let witness: Int8Array | undefined;
  let proven = limit !== undefined;
  for (;;) {
    const conflict = sat.propagate();
    if (conflict >= 0) {
      if (sat.level <= 1) return undefined;
      sat.learn(conflict);
      if (sat.conflicts >= end) return 'hard';
      walk.backTo(sat.level);
    } else if (sat.broken) {
      return undefined;
    } else if (sat.level === 0) {
      sat.forget();
      if (sat.assume(assumptions) >= 0) return undefined;
    } else if (!proven) {
      const level = sat.level;
      const result = probe(sat);
      if (result.conflict >= 0) return undefined;
      if (result.found) {
        witness = sat.snapshot();
        sat.backTo(level);
      }
      // Where the last decision was refuted, the solution from before it still agrees with all others.
      proven = witness !== undefined;
      walk.backTo(sat.level);
    } else {
      const decision = walk.advance();
      if (decision === undefined) return walk;
      sat.assume([decision]);
      if (limit === undefined) proven = witness?.[decision] === 1;
    }
  }
}

class Walk implements Found {
  readonly #catalog: Catalog;
  readonly #encoding: Encoding;
  readonly #plain: Step[] = [];
  #plainAt = 0;
  readonly #choices: Step[] = [];
  #choiceAt = 0;
  readonly #chosenOf = new Map<Family, number>();
  readonly #families: Family[] = [];
  readonly #marks: Mark[] = [];
  readonly chosen: Candidate[] = [];
  readonly edges: Edge[] = [];

  constructor(catalog: Catalog, encoding: Encoding) {
    this.#catalog = catalog;
    this.#encoding = encoding;
  }

  /** Lays out the request's steps and returns the literals that it fixes. */
  begin(request: Request): number[] {
    const encoding = this.#encoding;
    const fixed: number[] = [];
    for (const conflict of request.conflicts ?? []) {
      fixed.push(negate(encoding.hit(this.#catalog.options(conflict))));
    }
    for (const id of request.packages ?? []) {
      const { family, index } = this.#catalog.place(id);
      const need = this.#needOf(family, [index, index]);
      fixed.push(need.literal);
      this.#plain.push({ from: undefined, requirement: undefined, need });
    }
    const choices: Step[] = [];
    for (const requirement of request.requires) {
      const need = encoding.need(this.#catalog.options(requirement));
      fixed.push(need.literal);
      (need.options.choice ? choices : this.#plain).push({ from: undefined, requirement, need });
    }
    this.#plain.push(...choices);
    for (const id of request.installed ?? []) {
      const keep = this.#catalog.place(id);
      const need = this.#needOf(keep.family, [0, keep.family.members.length - 1]);
      encoding.exactly(keep.family, keep.index);
      this.#plain.push({ from: undefined, requirement: undefined, need, keep });
    }
    return fixed;
  }

  /** The need for some members of a family and for nothing in their stead. */
  #needOf(family: Family, span: Span): Need {
    const groups = [{ family, spans: [span], provider: false }];
    return this.#encoding.need({ name: family.name, selector: '', groups, choice: false });
  }

  /** Goes on until a decision is needed, and returns its literal; undefined once nothing is left to satisfy. */
  advance(): number | undefined {
    for (;;) {
      const plain = this.#plain[this.#plainAt];
      const step = plain ?? this.#choices[this.#choiceAt];
      if (step === undefined) return undefined;
      const decision = step.keep === undefined ? this.#satisfy(step) : this.#keep(step, step.keep);
      if (decision !== undefined) {
        this.#marks.push([
          this.#plain.length,
          this.#plainAt,
          this.#choices.length,
          this.#choiceAt,
          this.chosen.length,
          this.edges.length,
        ]);
        return decision;
      }
      if (plain === undefined) this.#choiceAt++;
      else this.#plainAt++;
    }
  }

  /** Forgets the steps that were taken behind a level of the search. */
  backTo(level: number): void {
    // The first level is the request's own.
    const mark = this.#marks[Math.max(0, level - 1)];
    if (mark === undefined) return;
    this.#marks.length = Math.max(0, level - 1);
    [this.#plain.length, this.#plainAt, this.#choices.length, this.#choiceAt] = mark;
    for (const family of this.#families.splice(mark[4])) this.#chosenOf.delete(family);
    this.chosen.length = mark[4];
    this.edges.length = mark[5];
  }

  #satisfy(step: Step): number | undefined {
    const { groups } = step.need;
    for (const group of groups) {
      if (!group.provider) break;
      const index = this.#chosenOf.get(group.family);
      if (index !== undefined && holds(group, index)) return this.#take(step, group.family, index);
    }
    const { sat } = this.#encoding;
    for (const group of groups) {
      const value = sat.value(group.literal);
      if (value < 0) continue;
      if (groups.length > 1 && value === 0) return group.literal;
      return this.#newest(step, group);
    }
    throw new Error(`no option is left for ${step.need.options.name}, and no contradiction was found`);
  }

  /** Takes the newest member of a group that is possible, or returns the literal that decides for it. */
  #newest(step: Step, { family, spans }: CodedGroup): number | undefined {
    const { sat } = this.#encoding;
    for (let i = spans.length - 1; i >= 0; i--) {
      const [first, last] = spans[i] ?? [0, -1];
      for (let index = last; index >= first; index--) {
        const from = this.#encoding.atLeast(family, index);
        if (sat.value(from) < 0 || sat.value(this.#encoding.atLeast(family, index + 1)) > 0) continue;
        if (sat.value(from) === 0) return from;
        return this.#take(step, family, index);
      }
    }
    throw new Error(`no version of ${family.name} is left, and no contradiction was found`);
  }

  /** Keeps an installed candidate as it is, else in its newest possible version, else not at all. */
  #keep(step: Step, { family, index }: { family: Family; index: number }): number | undefined {
    const { sat } = this.#encoding;
    const same = this.#encoding.exactly(family, index);
    if (sat.value(same) === 0) return same;
    const any = this.#encoding.atLeast(family, 0);
    if (sat.value(same) > 0) return this.#take(step, family, index);
    if (sat.value(any) < 0) return undefined;
    if (sat.value(any) === 0) return any;
    const [group] = step.need.groups;
    return group === undefined ? undefined : this.#newest(step, group);
  }

  /** Records who satisfies a step; a newly chosen candidate brings its own requirements. */
  #take(step: Step, family: Family, index: number): undefined {
    const to = family.members[index];
    if (to === undefined) throw new Error(`${family.name} has no version ${index}`);
    if (step.requirement !== undefined)
      this.edges.push({ from: step.from, requirement: step.requirement, to });
    if (this.#chosenOf.has(family)) return;
    this.#chosenOf.set(family, index);
    this.#families.push(family);
    this.chosen.push(to);
    for (const { requirement, need } of this.#encoding.demands(family, index)) {
      if (need === undefined) this.edges.push({ from: to, requirement, to });
      else (need.options.choice ? this.#choices : this.#plain).push({ from: to, requirement, need });
    }
  }
}

const holds = (group: Group, index: number): boolean =>
  group.spans.some(([first, last]) => first <= index && index <= last);
