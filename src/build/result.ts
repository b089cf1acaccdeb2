import type { BuildEvent, EventSink } from '../events/index.ts';
import type { PlanArtifact } from '../plan/index.ts';
import { PackageFailure, Stopped } from './failure.ts';
import type { BuildResult, BuiltPackage } from './types.ts';

/**
 * What became of the wanted packages, of which those that failed for others' sake are told of as skipped. Throws what is no
 * package's failure.
 */
export function resultOf(
  wanted: readonly PlanArtifact[],
  settled: readonly PromiseSettledResult<readonly BuiltPackage[]>[],
  failed: ReadonlyMap<string, PackageFailure>,
  onEvent: EventSink<BuildEvent>,
): BuildResult {
  const packages: BuiltPackage[] = [];
  const skipped: { package: string; because: string }[] = [];
  for (const [at, outcome] of settled.entries()) {
    if (outcome.status === 'fulfilled') packages.push(...outcome.value);
    else {
      const { reason } = outcome as { reason: unknown };
      const name = wanted[at]?.package.key ?? '';
      if (reason instanceof PackageFailure && reason.package === name) continue;
      if (!(reason instanceof PackageFailure) && !(reason instanceof Stopped)) throw reason;
      const because = reason instanceof Stopped ? reason.because : reason.package;
      if (failed.has(name)) continue;
      skipped.push({ package: name, because });
      onEvent({ type: 'skipped', package: name, because });
    }
  }
  return { packages, failed: [...failed.values()], skipped };
}
