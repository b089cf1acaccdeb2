import type { BuildState } from './state.ts';

/** What a cut of an image that was there takes, in milliseconds: little beside what runs. */
const CUT = 200;

/** Share of its usual time that a package which takes longer than usual is taken to need still. */
const OVERDUE = 0.1;

/**
 * Milliseconds until a build is done, from how long its packages took before: the longest path through what
 * is left, or its sum over the slots where that is more. Undefined where too little is known.
 */
export function remaining(
  state: BuildState,
  usual: (name: string) => number | undefined,
  now: number,
): number | undefined {
  const left = new Set([...state.needs.keys(), ...state.open, ...state.running.keys()]);
  for (const name of state.ready) if (!state.open.has(name)) left.delete(name);
  for (const { package: name } of [...state.failed, ...state.skipped, ...state.stopped]) left.delete(name);
  if (left.size === 0) return undefined;

  const cost = (name: string): number | undefined =>
    state.reused.has(name) || !state.needs.has(name) ? CUT : usual(name);
  const known = [...left].map(cost).filter((one) => one !== undefined);
  if (known.length * 2 < left.size) return undefined;
  const measured = [...state.durations.values(), ...known.filter((one) => one !== CUT)];
  const mean = measured.reduce((sum, one) => sum + one, 0) / Math.max(1, measured.length);
  const rest = (name: string): number => {
    const whole = cost(name) ?? mean;
    const since = state.running.get(name)?.since;
    return since === undefined ? whole : Math.max(whole - (now - since), whole * OVERDUE);
  };

  const paths = new Map<string, number>();
  const path = (name: string): number => {
    const done = paths.get(name);
    if (done !== undefined) return done;
    paths.set(name, 0);
    let longest = 0;
    for (const need of state.needs.get(name) ?? [])
      if (left.has(need)) longest = Math.max(longest, path(need));
    const all = longest + rest(name);
    paths.set(name, all);
    return all;
  };
  let longest = 0;
  let sum = 0;
  for (const name of left) {
    longest = Math.max(longest, path(name));
    sum += rest(name);
  }
  return Math.max(longest, sum / state.concurrency);
}
