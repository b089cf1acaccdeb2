/**
 * The solver alone, from plain candidates to an answer: `node bench/solver.ts [upgrade|closures|why|growth]`.
 * Every run indexes its world anew. `first` is the first run of that world in this process, `best`, `median` and
 * `worst` are of the runs after it; where the machine has other work, `best` is the figure to compare.
 */
import { createUniverse, type SolveResult, solve } from '../src/solver/index.ts';
import { closures, contradiction, type Problem, tangle, upgrade } from './solver-worlds.ts';

const RUNS = 9;

interface Timed {
  readonly first: number;
  readonly best: number;
  readonly median: number;
  readonly worst: number;
  readonly said: string;
}

const told = (outcome: SolveResult): string =>
  outcome.ok
    ? `${outcome.packages.length} packages`
    : `no: core of ${outcome.explanation.core.length}, ${outcome.explanation.steps.length} sentences`;

function timed(run: () => string): Timed {
  let said = '';
  const times = Array.from({ length: RUNS + 1 }, () => {
    const start = performance.now();
    said = run();
    return performance.now() - start;
  });
  const [first = 0, ...later] = times;
  later.sort((a, b) => a - b);
  return {
    first,
    best: later[0] ?? 0,
    median: later[later.length >> 1] ?? 0,
    worst: later.at(-1) ?? 0,
    said,
  };
}

const once = (problem: Problem): Timed =>
  timed(() => told(solve(createUniverse(problem.candidates), problem.request)));

/** One request for each family of a world, one after the other, over one universe. */
const each = ({ candidates }: Problem): Timed =>
  timed(() => {
    const universe = createUniverse(candidates);
    const names = [...new Set(candidates.map((c) => c.name))];
    let chosen = 0;
    let solved = 0;
    for (const name of names) {
      const outcome = solve(universe, { requires: [{ name, selector: '' }] });
      if (!outcome.ok) continue;
      solved++;
      chosen += outcome.packages.length;
    }
    const refused = names.length - solved;
    const also = refused === 0 ? '' : `, ${refused} explanations`;
    return `${solved} solutions of ${(chosen / solved).toFixed(0)} packages on average${also}`;
  });

/** One request for all families of a world. */
const together = ({ candidates }: Problem): Timed => {
  const requires = [...new Set(candidates.map((c) => c.name))].map((name) => ({ name, selector: '' }));
  return once({ candidates, request: { requires } });
};

function row(name: string, { first, best, median, worst, said }: Timed, bound = ''): void {
  const cells = [first, best, median, worst].map((ms) => `${ms.toFixed(1)} ms`.padStart(11)).join('');
  console.log(`${name.padEnd(40)}${cells}${bound.padStart(8)}  ${said}`);
}

function head(title: string): void {
  console.log(`\n${title}`);
  const columns = ['first', 'best', 'median', 'worst'].map((column) => column.padStart(11)).join('');
  console.log(`${''.padEnd(40)}${columns}${'bound'.padStart(8)}`);
}

const tables: Record<string, () => void> = {
  upgrade() {
    head('20 families, each requiring the next by ranges; upgrade everything');
    for (const ranges of ['near', 'falling', 'random'] as const) {
      for (const versions of [26, 52, 78]) {
        row(
          `${ranges}, ${versions} versions`,
          once(upgrade(20, versions, ranges)),
          versions === 78 ? '100 ms' : '',
        );
      }
    }
  },
  closures() {
    head('2000 families of 4 versions, closures of up to a hundred');
    const world = closures(2000, 4);
    const request = { requires: [{ name: 'fam/f0', selector: '' }] };
    row('one request', once({ ...world, request }), '500 ms');
    row('all 2000 in one request', together(world), '500 ms');
    row('2000 requests, one after the other', each(world), '500 ms');
  },
  why() {
    head('no solution, and why');
    row('800 families of 4 versions', once(contradiction(800, 4)), '500 ms');
    row('800 families of 1 version', once(contradiction(800, 1)), '500 ms');
    row('800 tangled families of 4 versions', once(tangle(800, 4)), '500 ms');
    const { candidates } = tangle(800, 4);
    row('each of them on its own, 800 requests', each({ candidates, request: { requires: [] } }));
  },
  growth() {
    head('growth: n, 2n, 4n');
    for (const n of [39, 78, 156]) row(`upgrade, 20 families of ${n}`, once(upgrade(20, n, 'falling')));
    for (const n of [20, 40, 80]) row(`upgrade, ${n} families of 78`, once(upgrade(n, 78, 'falling')));
    for (const n of [2000, 4000, 8000]) row(`closures, ${n} requests`, each(closures(n, 4)));
    for (const n of [2000, 4000, 8000]) row(`closures, ${n} in one`, together(closures(n, 4)));
    for (const n of [800, 1600, 3200]) row(`why, ${n} families`, once(contradiction(n, 4)));
  },
};

const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : Object.keys(tables)) {
  const table = tables[name];
  if (table === undefined) throw new Error(`no table ${name}; there are ${Object.keys(tables).join(', ')}`);
  table();
}
