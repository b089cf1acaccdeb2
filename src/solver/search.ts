import type { CandidateGroup, Catalog, Family, IndexRange } from './catalog.ts';
import { ClauseEncoding, type EncodedGroup, type EncodedNeed } from './encoding.ts';
import { negate } from './literal.ts';
import { probe } from './probe.ts';
import type { Candidate, Edge, Request, Requirement } from './types.ts';

/** A requirement to satisfy, or an installed candidate to keep. */
interface SearchStep {
  readonly from: Candidate | undefined;
  readonly requirement: Requirement | undefined;
  readonly need: EncodedNeed;
  /** The installed candidate to keep if possible. */
  readonly keep?: { readonly family: Family; readonly index: number };
}

/** Lengths of the lists when a decision was made, to return to that state. */
type ListLengths = readonly [
  plain: number,
  plainAt: number,
  choices: number,
  choiceAt: number,
  chosen: number,
  edges: number,
];

/**
 * The result of the search: the selected candidates in order, and which candidates satisfy each requirement.
 */
export interface SearchResult {
  readonly chosen: readonly Candidate[];
  readonly edges: readonly Edge[];
}

/** Number of conflicts after which the search first proves that each decision leads to a solution. */
const EASY = 300;

/**
 * Follows the requirements of the selected candidates from the request, breadth first, and takes the best
 * option that is not known to be impossible at each step. After a contradiction, the learned clause makes an
 * earlier step take its next option. So each step ends with its best option for which a solution with all
 * earlier steps exists. The result does not depend on what was learned.
 *
 * This order of decisions is slow for hard problems, which are recognised by their number of conflicts. Then
 * each decision is first proven to lead to a solution, by a search that can decide in any order. Returns
 * undefined if there is no solution. `easy` is the number of conflicts after which a problem counts as hard;
 * it does not change the result.
 */
export function search(
  catalog: Catalog,
  encoding: ClauseEncoding,
  request: Request,
  easy: number = EASY,
): SearchResult | undefined {
  const found = walkThrough(catalog, encoding, request, easy);
  if (found !== 'hard') return found;
  // A separate encoding, so that the proof search assigns only variables that this request can reach.
  const own = walkThrough(catalog, new ClauseEncoding(catalog), request, undefined);
  if (own === 'hard') throw new Error('internal error: a search without a limit stopped');
  return own;
}

function walkThrough(
  catalog: Catalog,
  encoding: ClauseEncoding,
  request: Request,
  limit: number | undefined,
): SearchResult | undefined | 'hard' {
  const { sat } = encoding;
  sat.backTo(0);
  const walk = new Walk(catalog, encoding);
  const assumptions = walk.begin(request);
  const end = limit === undefined ? Number.POSITIVE_INFINITY : sat.conflicts + limit;
  /** Values of the literals in the last solution found; if `proven`, it agrees with all decisions so far. */
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
      // If the last decision was refuted, the solution from before still agrees with all other decisions.
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

class Walk implements SearchResult {
  readonly #catalog: Catalog;
  readonly #encoding: ClauseEncoding;
  readonly #plain: SearchStep[] = [];
  #plainAt = 0;
  readonly #choices: SearchStep[] = [];
  #choiceAt = 0;
  readonly #chosenOf = new Map<Family, number>();
  readonly #families: Family[] = [];
  readonly #marks: ListLengths[] = [];
  readonly chosen: Candidate[] = [];
  readonly edges: Edge[] = [];

  constructor(catalog: Catalog, encoding: ClauseEncoding) {
    this.#catalog = catalog;
    this.#encoding = encoding;
  }

  /** Creates the steps of the request and returns the literals that it requires. */
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
    const choices: SearchStep[] = [];
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

  /** The need for certain members of a family, which no provider can replace. */
  #needOf(family: Family, span: IndexRange): EncodedNeed {
    const groups = [{ family, spans: [span], provider: false }];
    return this.#encoding.need({ name: family.name, selector: '', groups, choice: false });
  }

  /**
   * Continues until a decision is necessary, and returns its literal. Undefined if all requirements are
   * satisfied.
   */
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

  /** Removes the steps that were added above a level of the search. */
  backTo(level: number): void {
    // The first level belongs to the request itself.
    const mark = this.#marks[Math.max(0, level - 1)];
    if (mark === undefined) return;
    this.#marks.length = Math.max(0, level - 1);
    [this.#plain.length, this.#plainAt, this.#choices.length, this.#choiceAt] = mark;
    for (const family of this.#families.splice(mark[4])) this.#chosenOf.delete(family);
    this.chosen.length = mark[4];
    this.edges.length = mark[5];
  }

  #satisfy(step: SearchStep): number | undefined {
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
    throw new Error(
      `internal error: no option is left for ${step.need.options.name}, but no contradiction was found`,
    );
  }

  /** Selects the newest possible member of a group, or returns the literal to decide for it. */
  #newest(step: SearchStep, { family, spans }: EncodedGroup): number | undefined {
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
    throw new Error(`internal error: no version of ${family.name} is left, but no contradiction was found`);
  }

  /**
   * Keeps an installed candidate unchanged if possible, otherwise takes its newest possible version,
   * otherwise drops it.
   */
  #keep(step: SearchStep, { family, index }: { family: Family; index: number }): number | undefined {
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

  /** Records which candidate satisfies a step. A newly selected candidate adds its own requirements. */
  #take(step: SearchStep, family: Family, index: number): undefined {
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

const holds = (group: CandidateGroup, index: number): boolean =>
  group.spans.some(([first, last]) => first <= index && index <= last);
