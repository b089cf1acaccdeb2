import type { Plan, PlanArtifact } from './types.ts';

/** One package that a build makes for one of its targets, with the field names of Luet. */
export interface PlannedPackage {
  readonly category: string;
  /** For compatibility with Luet: files are not known before a build. */
  readonly files: null;
  readonly hidden: boolean;
  /** For compatibility with Luet: a build installs nothing. */
  readonly installed: boolean;
  readonly name: string;
  /** For compatibility with Luet: a tree is not a repository. */
  readonly repository: string;
  /** The target that needs the package, as `category/name-version`; the package itself if it is a target. */
  readonly target: string;
  readonly version: string;
}

/** The packages that a build writes: for each target, its requirements and then the target itself. */
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

/**
 * The closure of a target; before each member, the packages that it copies from or whose contents it is built
 * on.
 */
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
