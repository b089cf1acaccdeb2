import type { Place } from '../diagnostic/index.ts';
import { expandEnvironment } from '../spec/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { PackageFailure } from './failure.ts';

/** An environment with a package's `env` laid over it. Throws a `PackageFailure` for items that cannot be read. */
export function expanded(pack: TreePackage, below: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const environment = new Map(below);
  const visible = new Map([...environment, ...packageVariables(pack)]);
  const problems: { code: string; message: string; place: Place }[] = [];
  for (const { value, place } of pack.build?.env ?? []) {
    const expansion = expandEnvironment(value, visible);
    if (!expansion.ok) {
      problems.push({ code: 'invalid-env', message: `env: ${expansion.reason}`, place });
      continue;
    }
    for (const [name, text] of expansion.pairs) {
      environment.set(name, text);
      visible.set(name, text);
    }
  }
  if (problems.length > 0) throw new PackageFailure(pack, problems);
  return environment;
}

/** The variables that tell a package's commands which package they build. */
export function packageVariables({ definition }: TreePackage): [string, string][] {
  const { name, version, category } = definition;
  return [
    ['PACKAGE_NAME', name],
    ['PACKAGE_VERSION', version],
    ['PACKAGE_CATEGORY', category],
  ];
}
