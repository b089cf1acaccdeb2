import { quoteForShell } from './shell.ts';

/**
 * Whether a shell can set a variable of this name. Others keep the value that the container was created with.
 */
const isSettable = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);

type Environment = ReadonlyMap<string, string>;

/** Shell text that changes one environment into another; empty where nothing differs. */
export function changeEnvironment(before: Environment, after: Environment): string {
  const set = [...after].filter(([name, value]) => isSettable(name) && before.get(name) !== value);
  const removed = [...before.keys()].filter((name) => isSettable(name) && !after.has(name));
  const lines = [
    ...set.map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    ...removed.map((name) => `unset ${name}`),
  ];
  return lines.join('\n');
}

/**
 * The variables that a shell in a container has although nobody asked for them: engines add some
 * (`container`, `TERM`), which the container's configuration lists, and shells count their depth (`SHLVL`).
 * `HOSTNAME` is left alone.
 */
export function addedVariables(configured: readonly string[], environment: Environment): string[] {
  const names = configured.map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))));
  const added = new Set([...names.filter(isSettable), 'SHLVL']);
  return [...added].filter((name) => name !== 'HOSTNAME' && !environment.has(name));
}
