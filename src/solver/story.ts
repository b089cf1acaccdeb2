import type { Catalog } from './catalog.ts';
import { type CoreItem, clausesOf } from './demands.ts';
import { ClauseEncoding } from './encoding.ts';
import { negate, positive } from './literal.ts';
import type { Candidate } from './types.ts';

/** The same demand of several versions of one package, or a single demand. */
export type Fact = readonly CoreItem[];

/** A conclusion from some facts and from earlier conclusions. */
export interface Passage {
  readonly facts: readonly Fact[];
  /**
   * The versions of one package that are therefore impossible. Empty in the last passage, where nothing is
   * possible.
   */
  readonly ruledOut: readonly Candidate[];
}

/** Maximum number of candidates to try; after that, the explanation is a plain list of facts. */
const EFFORT = 20_000;

/** Groups the items of a core: the same demand of several versions of one package becomes one fact. */
export function factsOf(core: readonly CoreItem[]): Fact[] {
  const alike = (item: CoreItem): string =>
    item.kind === 'package'
      ? item.candidate.id
      : JSON.stringify([item.kind, item.from?.name, item.requirement.name, item.requirement.selector]);
  return [...Map.groupBy(core, alike).values()];
}

/**
 * Orders a core so that each passage is a complete conclusion: first which versions are impossible and why,
 * the deepest first, then what contradicts the request. Each fact is listed once, where it is first used. If
 * that takes too much effort, the whole core is one passage.
 */
export function storyOf(catalog: Catalog, core: readonly CoreItem[]): Passage[] {
  const facts = factsOf(core);
  const steps = deduce(catalog, facts);
  if (steps === undefined) return [{ facts, ruledOut: [] }];
  const told = new Set<Fact>();
  const fresh = (used: ReadonlySet<Fact>): Fact[] =>
    facts.filter((fact) => used.has(fact) && !told.has(fact));
  const passages: Passage[] = [];
  // Demands of the request come first, wherever they are used.
  const asked = facts.filter((fact) => fact[0]?.from === undefined);
  for (const fact of asked) told.add(fact);
  for (let i = 0; i < steps.length; ) {
    const name = steps[i]?.ruledOut?.name;
    const used = new Set<Fact>();
    const ruledOut: Candidate[] = [];
    for (; i < steps.length && steps[i]?.ruledOut?.name === name; i++) {
      for (const fact of steps[i]?.facts ?? []) used.add(fact);
      const candidate = steps[i]?.ruledOut;
      if (candidate !== undefined) ruledOut.push(candidate);
    }
    const facts = fresh(used);
    for (const fact of facts) told.add(fact);
    ruledOut.sort((a, b) => catalog.place(a.id).index - catalog.place(b.id).index);
    passages.push({ facts: passages.length === 0 ? [...asked, ...facts] : facts, ruledOut });
  }
  return passages;
}

interface ProofStep {
  readonly facts: ReadonlySet<Fact>;
  /** Earlier steps that this one depends on. */
  readonly steps: readonly ProofStep[];
  readonly ruledOut: Candidate | undefined;
}

/**
 * Rules out candidates one by one until the request is contradicted. Undefined if that is not possible in
 * this way.
 */
function deduce(catalog: Catalog, facts: readonly Fact[]): ProofStep[] | undefined {
  const encoding = new ClauseEncoding(catalog);
  const { sat } = encoding;
  const byGuard = new Map<number, Fact | ProofStep>();
  const guards = facts.map((fact) => {
    const guard = positive(sat.addVariables());
    byGuard.set(guard, fact);
    for (const clause of clausesOf(catalog, encoding, fact)) sat.addClause([negate(guard), ...clause]);
    return guard;
  });
  // Candidates farthest from the request first.
  const candidates = [...new Set(facts.flatMap((fact) => fact.map((item) => item.from)))]
    .filter((candidate) => candidate !== undefined)
    .reverse()
    .map((candidate) => {
      const { family, index } = catalog.place(candidate.id);
      const out = positive(sat.addVariables());
      const chosen = encoding.exactly(family, index);
      sat.addClause([negate(out), negate(chosen)]);
      return { candidate, chosen, out };
    });
  const step = (conflict: number, ruledOut: Candidate | undefined): ProofStep => {
    const blamed = sat.blame(conflict).map((guard) => byGuard.get(guard));
    const used = blamed.filter((part): part is Fact => Array.isArray(part));
    const steps = blamed.filter((part): part is ProofStep => part !== undefined && 'steps' in part);
    return { facts: new Set(used), steps, ruledOut };
  };
  const refuted = byGuard.get(sat.assume(guards));
  if (refuted !== undefined && Array.isArray(refuted)) {
    return [{ facts: new Set([refuted]), steps: [], ruledOut: undefined }];
  }
  let conflict = sat.propagate();
  let open = candidates;
  let effort = EFFORT;
  while (conflict < 0) {
    const left: typeof open = [];
    for (const entry of open) {
      if (conflict >= 0 || sat.value(entry.chosen) < 0) continue;
      if (--effort < 0) return undefined;
      const level = sat.level;
      sat.assume([entry.chosen]);
      const dead = sat.propagate();
      if (dead < 0) {
        left.push(entry);
        sat.backTo(level);
        continue;
      }
      byGuard.set(entry.out, step(dead, entry.candidate));
      sat.backTo(level);
      sat.assume([entry.out]);
      conflict = sat.propagate();
    }
    if (conflict < 0 && left.length === open.length) return undefined;
    open = left;
  }
  return inOrder(step(conflict, undefined));
}

/** The steps that the last one depends on, each after those it depends on. */
function inOrder(last: ProofStep): ProofStep[] {
  const done = new Set<ProofStep>();
  const open: ProofStep[] = [last];
  for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
    const missing = next.steps.filter((before) => !done.has(before));
    if (missing.length > 0) open.push(...missing.reverse());
    else {
      done.add(next);
      open.pop();
    }
  }
  return [...done];
}
