import { type BaseImageOptions, baseImageFinder } from '../cache/index.ts';
import type { Place } from '../diagnostic/index.ts';
import type { Plan } from '../plan/index.ts';
import { type FindBaseImage, outlinePlan, type ResolvedPlan, resolvePlan } from '../resolve/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { Executor } from './executor.ts';
import { engineFault, PackageFailure } from './failure.ts';
import { failureOf } from './failure-of.ts';
import { checkIsolation } from './isolation.ts';
import { checkLimits } from './limits.ts';
import { needsOf } from './needs.ts';
import { type OutputFolders, outputsOf } from './outputs.ts';
import { Recovery } from './recovery.ts';
import type { BuildResult, ExecuteOptions } from './types.ts';

/** Options of `build`. */
export interface BuildOptions extends ExecuteOptions, OutputFolders {
  /** Returns the package with a `category/name-version`, for the runtime definitions of subpackages. */
  readonly find: (key: string) => TreePackage | undefined;
  /** Latest time in packages, in seconds since 1970. Default: the creation time of the base image. */
  readonly sourceDateEpoch?: number | undefined;
  /** Called with the resolved plan before anything runs; resolves to whether the build goes on. */
  readonly onResolved?: ((plan: ResolvedPlan) => Promise<boolean>) | undefined;
}

/**
 * Resolves a plan and executes it: runs each package on each parent once if necessary, and writes the wanted
 * packages. Also resolves if packages fail; rejects if aborted, and for errors that no package caused. The
 * engine stays open.
 */
export async function build(plan: Plan, options: BuildOptions): Promise<BuildResult> {
  await checkLimits(options);
  await checkIsolation(options);
  const outline = outlinePlan(plan, options);
  announce(outline, options);
  const isOutput = outputsOf(outline, options);
  const resolved = await resolvePlan(plan, { ...options, isOutput, baseImage: patientFinder(options) });
  if ((await options.onResolved?.(resolved)) === false)
    return { packages: [], failed: [], skipped: [], stopped: [], undelivered: [] };
  return await new Executor(resolved, options).run();
}

/** Executes a resolved plan, like `build`. */
export async function execute(plan: ResolvedPlan, options: ExecuteOptions): Promise<BuildResult> {
  await checkLimits(options);
  await checkIsolation(options);
  announce(plan, options);
  return await new Executor(plan, options).run();
}

/** Reports what will be built, before anything is looked up. */
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

/**
 * Looks up base images, and retries after failures of the engine if that can help. A remaining error counts
 * as a failure of the package that needs the image.
 */
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
