import { type BaseImageOptions, baseImageFinder } from '../cache/index.ts';
import type { Place } from '../diagnostic/index.ts';
import type { Plan } from '../plan/index.ts';
import { type FindBaseImage, outlinePlan, type ResolvedPlan, resolvePlan } from '../resolve/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { Executor } from './executor.ts';
import { engineFault, failureOf, PackageFailure } from './failure.ts';
import { checkIsolation } from './isolation.ts';
import { checkLimits } from './limits.ts';
import { needsOf } from './needs.ts';
import { type OutputFolders, outputsOf } from './outputs.ts';
import { Recovery } from './recovery.ts';
import type { BuildResult, ExecuteOptions } from './types.ts';

/** How a plan is resolved and carried out. */
export interface BuildOptions extends ExecuteOptions, OutputFolders {
  /** The package of that `category/name-version`, for what subpackages are at run time. */
  readonly find: (key: string) => TreePackage | undefined;
  /** Seconds since 1970 that no time in a package is later than; the base image's creation where absent. */
  readonly sourceDateEpoch?: number | undefined;
}

/**
 * Resolves a plan and carries it out: runs what has to run, each package on each parent once, and writes the wanted
 * packages. Resolves also where packages fail; rejects when it is aborted, and for faults that are no package's. The engine
 * stays open.
 */
export async function build(plan: Plan, options: BuildOptions): Promise<BuildResult> {
  await checkLimits(options);
  await checkIsolation(options);
  const outline = outlinePlan(plan, options);
  announce(outline, options);
  const isOutput = outputsOf(outline, options);
  const resolved = await resolvePlan(plan, { ...options, isOutput, baseImage: patientFinder(options) });
  return await new Executor(resolved, options).run();
}

/** Carries out a resolved plan, as `build` does. */
export async function execute(plan: ResolvedPlan, options: ExecuteOptions): Promise<BuildResult> {
  await checkLimits(options);
  await checkIsolation(options);
  announce(plan, options);
  return await new Executor(plan, options).run();
}

/** Reports what is to be built, before anything is looked up. */
function announce(plan: ResolvedPlan, { onEvent, concurrency }: ExecuteOptions): void {
  const { artifacts } = plan;
  onEvent({
    type: 'planned',
    packages: artifacts.filter(({ wanted }) => wanted).map((artifact) => artifact.package),
    asked: artifacts.filter(({ asked }) => asked).map((artifact) => artifact.package),
    needs: needsOf(plan),
    concurrency,
  });
}

/** Finds base images, again where the engine failed and that can help; what remains is the failure of the asking package. */
function patientFinder(options: BuildOptions & BaseImageOptions): FindBaseImage {
  const find = baseImageFinder(options);
  const recovery = new Recovery(options);
  return async (reference: string, asker: TreePackage, place: Place | undefined) => {
    for (;;) {
      try {
        return await find(reference, asker, place);
      } catch (error) {
        options.signal.throwIfAborted();
        const fault = engineFault(error);
        if (fault !== undefined && (await recovery.after(fault, asker.key, false))) continue;
        const buildPlace = place ?? asker.build?.place ?? asker.definition.place;
        const failure = await failureOf(error, { key: asker.key, buildPlace }, options);
        if (!(failure instanceof PackageFailure)) throw failure;
        const { diagnostics } = failure;
        return {
          ok: false,
          diagnostics,
          ...(failure.fault === undefined ? {} : { fault: failure.fault }),
        };
      }
    }
  };
}
