/** Loads a tree and indexes it for solving, and prints what that took: the measured half of `bench/plan.ts`. */
import { createUniverse } from '../src/solver/index.ts';
import { buildtimeCandidates, loadTrees, runtimeCandidates } from '../src/tree/index.ts';

const [root = '.'] = process.argv.slice(2);
// Reading the program's own source is no part of this.
await loadTrees([], { cwd: root });
const start = performance.now();
const tree = await loadTrees([root], { cwd: '/' });
const read = performance.now();
const universes = [createUniverse(buildtimeCandidates(tree)), createUniverse(runtimeCandidates(tree))];
const indexed = performance.now();
if (tree.diagnostics.length > 0 || universes.length !== 2) throw new Error(tree.diagnostics[0]?.message);
console.log(
  JSON.stringify({
    load: read - start,
    index: indexed - read,
    memory: process.resourceUsage().maxRSS / 1000,
  }),
);
