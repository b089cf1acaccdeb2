import type { PackageFormat } from '../artifact/index.ts';
import { PromiseCache } from '../async/index.ts';
import { engineCache, type ImageCache } from '../cache/index.ts';
import type { Engine } from '../engine/index.ts';
import {
  allEarlier,
  destinationBuilds,
  type ExplainedPackage,
  engineBuilds,
  explainPlan,
  registryBuilds,
} from '../explain/index.ts';
import { openRegistry } from '../library/index.ts';
import { advanced, outputsOf, PlanIndex, type ResolvedPlan, retrieveFor } from '../resolve/index.ts';
import type { CliContext } from './context.ts';
import { pullRepositories, type SharedCacheFlags } from './shared-cache.ts';

/** What a plan is explained with. */
export interface ExplainWith {
  readonly flags: SharedCacheFlags & { readonly rebuild?: boolean };
  readonly engine: Engine;
  /** Where images are found; the engine's own where absent. */
  readonly cache: ImageCache | undefined;
  readonly format: PackageFormat;
  /** Absolute path of the folder that packages are written to. */
  readonly destination: string;
  readonly context: CliContext;
}

/** Says of each package what a build would do about it, and why. Nothing is fetched but what says that. */
export async function explainResolved(
  plan: ResolvedPlan,
  { flags, engine, cache, format, destination, context }: ExplainWith,
): Promise<readonly ExplainedPackage[]> {
  const { imageRepository, rebuild = false } = flags;
  const repositories = pullRepositories(flags);
  const { known, unchanged } = await lookedUp(plan, format, destination);
  const [cached, ofEngine, ofDestination, registry] = await Promise.all([
    (cache ?? engineCache(engine, imageRepository)).find(knownKeys(known)),
    engineBuilds(engine, imageRepository),
    destinationBuilds(destination),
    repositories.length === 0 ? undefined : openRegistry(context, flags.plainHttp),
  ]);
  const ofRegistries =
    registry === undefined
      ? []
      : repositories.map((one) => registryBuilds(registry, one, knownKeys(known), context.signal));
  return await explainPlan(known, {
    isCached: (key) => cached.has(key),
    isUnchanged: (name) => unchanged.has(name),
    earlier: allEarlier([ofEngine, ofDestination, ...ofRegistries]),
    rebuild,
  });
}

const knownKeys = ({ nodes }: ResolvedPlan): string[] => [
  ...new Set(
    nodes.flatMap(({ identity, passesThrough }) =>
      identity.state === 'known' && !passesThrough ? [identity.key] : [],
    ),
  ),
];

/**
 * The plan as it is known before anything runs, and the packages that lie in the destination as they would be written. What
 * `retrieve` takes from packages that are there already is known as well.
 */
async function lookedUp(
  plan: ResolvedPlan,
  format: PackageFormat,
  destination: string,
): Promise<{ readonly known: ResolvedPlan; readonly unchanged: ReadonlySet<string> }> {
  const index = new PlanIndex(plan);
  const found = new PromiseCache<string, boolean>();
  const isUnchanged = (name: string): Promise<boolean> =>
    found.get(name, async () => {
      const outputs = outputsOf(index, index.artifact(name));
      if (outputs === undefined) return false;
      for (const output of outputs) if ((await format.find(output, destination)) === undefined) return false;
      return true;
    });
  for (const { id } of plan.nodes) {
    const node = index.node(id);
    if (node.identity.state !== 'pending') continue;
    const there = await Promise.all(node.retrieveAfter.map(isUnchanged));
    if (there.includes(false)) continue;
    const { files, problems } = await retrieveFor(index, node, destination);
    if (problems.length === 0) index.replace(advanced(index, node, { retrieved: files }));
  }
  const names = plan.artifacts.map((artifact) => artifact.package);
  const there = await Promise.all(names.map(isUnchanged));
  const known = { ...plan, nodes: plan.nodes.map(({ id }) => index.node(id)) };
  return { known, unchanged: new Set(names.filter((_, at) => there[at])) };
}
