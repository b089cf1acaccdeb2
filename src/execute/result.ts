import type { BuildEvent, EventSink } from '../events/index.ts';
import type { ResolvedPlan } from '../resolve/index.ts';
import { PackageFailure, Stopped } from './failure.ts';
import { needsOf } from './needs.ts';
import type { BuildResult, BuiltPackage, Unbuilt } from './types.ts';

/**
 * The result for the wanted packages of a plan, in order. For packages that were not built, it says whether a
 * requirement failed or the build stopped. Throws errors that are not failures of packages.
 */
export function resultOf(
  plan: ResolvedPlan,
  settled: readonly PromiseSettledResult<readonly BuiltPackage[]>[],
  failed: ReadonlyMap<string, PackageFailure>,
  onEvent: EventSink<BuildEvent>,
): Omit<BuildResult, 'undelivered'> {
  const wanted = plan.artifacts.filter((artifact) => artifact.wanted);
  const packages: BuiltPackage[] = [];
  const unbuilt = { skipped: [] as Unbuilt[], stopped: [] as Unbuilt[] };
  const needs = new Map(Object.entries(failed.size === 0 ? {} : needsOf(plan)));
  for (const [at, outcome] of settled.entries()) {
    if (outcome.status === 'fulfilled') {
      packages.push(...outcome.value);
      continue;
    }
    const { reason } = outcome as { reason: unknown };
    const name = wanted[at]?.package ?? '';
    if (!(reason instanceof PackageFailure) && !(reason instanceof Stopped)) throw reason;
    if (failed.has(name)) continue;
    const needed = failedBelow(name, needs, failed);
    const type = needed === undefined && reason instanceof Stopped ? 'stopped' : 'skipped';
    const because = needed ?? (reason instanceof Stopped ? reason.because : reason.package);
    unbuilt[type].push({ package: name, because });
    onEvent({ type, package: name, because });
  }
  return { packages, failed: [...failed.values()], ...unbuilt };
}

/** The nearest failed package among the requirements of a package. */
function failedBelow(
  name: string,
  needs: ReadonlyMap<string, readonly string[]>,
  failed: ReadonlyMap<string, unknown>,
): string | undefined {
  const seen = new Set([name]);
  for (const at of seen) {
    if (at !== name && failed.has(at)) return at;
    for (const need of needs.get(at) ?? []) seen.add(need);
  }
  return undefined;
}
