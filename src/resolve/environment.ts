import type { Diagnostic } from '../diagnostic/index.ts';
import { expandEnvironment } from '../spec/index.ts';
import type { EnvironmentVariables, NodeEnvironment, ResolvedPackage } from './types.ts';

/** The PATH of a Dockerfile's commands if their image does not set it. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The initial environment of commands on an image: its `NAME=value` pairs, with `PATH` and `HOME`. */
export function imageEnvironment(pairs: readonly string[]): EnvironmentVariables {
  const environment = new Map([['PATH', DEFAULT_PATH]]);
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at > 0) environment.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return [...environment.set('HOME', '/root')];
}

/**
 * The environments of a package on a parent with this environment. `env` belongs both to the builder image,
 * which prelude uses, and to the package image, which steps use. So it is applied twice, and `PATH=$PATH:/x`
 * adds `/x` twice.
 */
export function nodeEnvironment(
  pack: ResolvedPackage,
  below: EnvironmentVariables,
  latest: number,
): NodeEnvironment {
  const problems: Diagnostic[] = [];
  const builder = expanded(pack, below, problems);
  const image = expanded(pack, builder, []);
  if (problems.length > 0) return { state: 'failed', diagnostics: problems };
  const named = new Set(pack.env.map(({ value }) => value.slice(0, value.indexOf('='))));
  const variables = [...packageVariables(pack), ['SOURCE_DATE_EPOCH', String(latest)] as const].filter(
    ([name]) => !named.has(name),
  );
  const over = (environment: EnvironmentVariables): EnvironmentVariables => [
    ...new Map([...environment, ...variables]),
  ];
  return { state: 'known', prelude: over(builder), steps: over(image), image };
}

/** Applies a package's `env` to an environment. Invalid items are added to `problems`. */
function expanded(
  pack: ResolvedPackage,
  below: EnvironmentVariables,
  problems: Diagnostic[],
): EnvironmentVariables {
  const environment = new Map(below);
  const visible = new Map([...environment, ...packageVariables(pack)]);
  for (const { value, place } of pack.env) {
    const expansion = expandEnvironment(value, visible);
    if (!expansion.ok) {
      const message = `env: ${expansion.reason}`;
      problems.push({ code: 'invalid-env', severity: 'error', message, place, package: pack.key });
      continue;
    }
    for (const [name, text] of expansion.pairs) {
      environment.set(name, text);
      visible.set(name, text);
    }
  }
  return [...environment];
}

/** The variables that describe the package to its commands. */
function packageVariables({ buildtime }: ResolvedPackage): [string, string][] {
  return [
    ['PACKAGE_NAME', buildtime.name],
    ['PACKAGE_VERSION', buildtime.version],
    ['PACKAGE_CATEGORY', buildtime.category],
  ];
}
