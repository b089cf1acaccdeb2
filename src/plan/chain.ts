import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import {
  type Candidate,
  createUniverse,
  type Edge,
  type Solution,
  type SolveResult,
  solve,
  type Universe,
} from '../solver/index.ts';
import type { PackageRef } from '../spec/index.ts';
import {
  buildtimeCandidates,
  requirement,
  runtimeCandidates,
  type Tree,
  type TreePackage,
} from '../tree/index.ts';
import { cutHint } from './cut-hint.ts';
import { refuseErrors } from './errors.ts';
import { cycles } from './relations.ts';
import { placeOf, unsolvable } from './unsolvable.ts';

/**
 * The packages of one solution, sorted so that each comes after its requirements, and which package satisfies
 * each requirement.
 */
export interface Chain {
  readonly packages: readonly TreePackage[];
  readonly edges: readonly Edge[];
}

/** Solves packages of one tree in both views, each only once. */
export class Chains {
  readonly #tree: Tree;
  readonly #chains = new Map<string, Chain>();
  #buildtime: Universe | undefined;
  #runtime: Universe | undefined;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  get #build(): Universe {
    this.#buildtime ??= createUniverse(buildtimeCandidates(this.#tree));
    return this.#buildtime;
  }

  get #run(): Universe {
    this.#runtime ??= createUniverse(runtimeCandidates(this.#tree));
    return this.#runtime;
  }

  /**
   * The packages that a package is built on, in order, itself last. Throws a `DiagnosticError` with the
   * reason if there is no solution.
   */
  of(target: TreePackage): Chain {
    const known = this.#chains.get(target.key);
    if (known !== undefined) return known;
    const chain = this.#order(solve(this.#build, { requires: [], packages: [target.key] }), target.key);
    this.#chains.set(target.key, chain);
    return chain;
  }

  /**
   * Some packages and everything that they need at run time, by name, sorted so that each comes after its
   * requirements. Includes subpackages.
   */
  runtime(targets: readonly TreePackage[], asker: string): readonly string[] {
    const outcome = solve(this.#run, { requires: [], packages: targets.map(({ key }) => key) });
    const names = this.#sorted(outcome, asker).packages.map(({ id }) => id);
    refuseErrors(
      names.flatMap((name) => this.#tree.runtime.byKey(name) ?? []),
      'runtime',
      asker,
    );
    return names;
  }

  /** The newest package that satisfies a reference at build time. */
  satisfier(ref: PackageRef, asker: string): TreePackage {
    const outcome = solve(this.#build, { requires: [requirement(ref)] });
    const chain = this.#order(outcome, asker);
    const chosen = chain.edges.find(({ from }) => from === undefined)?.to;
    const found = chosen === undefined ? undefined : this.#tree.byKey(chosen.id);
    if (found === undefined)
      throw new Error(`internal error: no package satisfies ${ref.category}/${ref.name}`);
    return found;
  }

  #sorted(outcome: SolveResult, asker: string): Omit<Solution, 'ok'> {
    if (!outcome.ok)
      throw new DiagnosticError(unsolvable(outcome.explanation, asker, (name) => cutHint(this.#tree, name)));
    const packages = sortByNeed(outcome.packages, outcome.edges);
    if (packages === undefined) throw new DiagnosticError(this.#cycle(outcome.packages, outcome.edges));
    return { packages, edges: outcome.edges };
  }

  #order(outcome: SolveResult, asker: string): Chain {
    const sorted = this.#sorted(outcome, asker);
    const packages = sorted.packages.flatMap(({ id }) => this.#tree.byKey(id) ?? []);
    refuseErrors(packages, 'buildtime', asker);
    return { packages, edges: sorted.edges };
  }

  #cycle(packages: readonly Candidate[], edges: readonly Edge[]): Diagnostic[] {
    const outgoing = new Map<Candidate, { from: Candidate; to: Candidate; index: number }[]>();
    for (const { from, to, requirement } of edges) {
      if (from === undefined || from === to) continue;
      const list = outgoing.get(from) ?? [];
      list.push({ from, to, index: from.requires.indexOf(requirement) });
      outgoing.set(from, list);
    }
    return cycles(packages, (candidate) => outgoing.get(candidate) ?? []).map((circle) => {
      const path = [...circle.map(({ from }) => from.id), circle[0]?.from.id ?? ''];
      const place = placeOf(circle[0]?.from.requires[circle[0].index]);
      return {
        code: 'cycle',
        severity: 'error',
        message: `the packages require each other in a cycle: ${path.join(' → ')}`,
        ...(place === undefined ? {} : { place }),
      } satisfies Diagnostic;
    });
  }
}

/**
 * Sorts packages so that each comes after its requirements; packages with the same rank are sorted by
 * category, name and version. Undefined if there is a cycle.
 */
function sortByNeed(packages: readonly Candidate[], edges: readonly Edge[]): Candidate[] | undefined {
  // `packages` is already sorted by name, so comparing indexes is sufficient.
  const rank = new Map(packages.map((one, at) => [one, at]));
  const dependants: number[][] = packages.map(() => []);
  const waiting = new Uint32Array(packages.length);
  let latest: Candidate | undefined;
  let owner = -1;
  for (const { from, to } of edges) {
    if (from === undefined || from === to) continue;
    // The edges of one candidate are adjacent.
    if (from !== latest) owner = rank.get(from) ?? -1;
    latest = from;
    dependants[rank.get(to) ?? -1]?.push(owner);
    waiting[owner] = (waiting[owner] ?? 0) + 1;
  }
  const ordered: Candidate[] = [];
  // In reverse order, so that the first one can be taken from the end.
  const ready = [...waiting.keys()].filter((at) => waiting[at] === 0).reverse();
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    ordered.push(packages[next] as Candidate);
    for (const dependant of dependants[next] ?? []) {
      const left = (waiting[dependant] ?? 0) - 1;
      waiting[dependant] = left;
      if (left > 0) continue;
      let at = ready.length;
      while (at > 0 && (ready[at - 1] ?? 0) < dependant) at--;
      ready.splice(at, 0, dependant);
    }
  }
  return ordered.length === packages.length ? ordered : undefined;
}
