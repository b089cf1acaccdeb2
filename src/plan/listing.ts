import type { Plan, PlanArtifact } from './types.ts';

/** One package that a build makes for one of its targets, with the names that Luet gives these fields. */
export interface PlannedPackage {
  readonly category: string;
  /** Luet's; nothing is known of files before a build. */
  readonly files: null;
  readonly hidden: boolean;
  /** Luet's; nothing that a build makes is installed. */
  readonly installed: boolean;
  readonly name: string;
  /** Luet's; a tree is no repository. */
  readonly repository: string;
  /** The target that needs it, as `category/name-version`: the package itself where it is one. */
  readonly target: string;
  readonly version: string;
}

/** What a build writes: for each target in turn, what it needs and then the target itself. */
export function plannedPackages(plan: Plan): readonly PlannedPackage[] {
  const artifacts = new Map(plan.artifacts.map((artifact) => [artifact.package.key, artifact]));
  return plan.artifacts
    .filter(({ asked }) => asked)
    .flatMap((target) =>
      [...neededFor(target, artifacts)]
        .filter(({ wanted }) => wanted)
        .map(({ package: { definition } }) => ({
          category: definition.category,
          files: null,
          hidden: definition.hidden,
          installed: false,
          name: definition.name,
          repository: '',
          target: target.package.key,
          version: definition.version,
        })),
    );
}

/** A target's closure, and before each of its members what that copies from or stands on. */
function neededFor(
  target: PlanArtifact,
  artifacts: ReadonlyMap<string, PlanArtifact>,
  found = new Set<PlanArtifact>(),
): Set<PlanArtifact> {
  for (const { key } of target.closure) {
    const member = artifacts.get(key);
    if (member === undefined || found.has(member)) continue;
    const { node } = member;
    if (node?.parent.kind === 'final')
      for (const { artifact } of node.parent.parts) neededFor(artifact, artifacts, found);
    for (const { from } of node?.copies ?? []) {
      const source = from.kind === 'node' ? artifacts.get(from.node.package.key) : undefined;
      if (source !== undefined) neededFor(source, artifacts, found);
    }
    found.add(member);
  }
  return found;
}
