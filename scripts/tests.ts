import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** The checkout's folder. */
export const root = join(import.meta.dirname, '..');

/** Every test file, as paths from the checkout. */
export function testFiles(...rooms: readonly string[]): string[] {
  const patterns =
    rooms.length === 0 ? ['test/**/*.test.ts'] : rooms.map((room) => `test/${room}/**/*.test.ts`);
  return globSync(patterns, { cwd: root }).sort();
}

/** Whether a test file asks for an engine. */
export const needsEngine = (file: string): boolean => /(^|\/)(engine|e2e|conformance)\//.test(file);

/** Parts of the paths of tests that make engines and stores of their own, or are about what no engine has a part in. */
const sameOnEach = [
  ...['engine/native/', 'engine/security/', 'engine/filter/'],
  ...['find', 'overlay', 'overriding'].map((name) => `engine/${name}.test.ts`),
  ...['endpoint', 'environment', 'progress', 'shell'].map((name) => `engine/docker/${name}.test.ts`),
  ...['first-package', 'nothing-silent', 'output-in-context', 'own-engine', 'planned-images', 'store'].map(
    (name) => `e2e/${name}.test.ts`,
  ),
];

/** Whether a test file has the same answer whichever engine is given, so that running it with one of them is enough. */
export const runsOnce = (file: string): boolean => sameOnEach.some((part) => file.includes(part));

/** Whether a test file has tests on a registry of its own. */
export const needsRegistry = (file: string): boolean =>
  /(^|\/)(image\/registry\/|engine\/(?:native\/registry-|same-pulls)|repository\/|cache\/registry-|e2e\/(registry-|image-commands|package-images))/.test(
    file,
  );

/** Where Node keeps what it compiled, so that each source is compiled once and not again in each of some two hundred test files. */
const compiled = join(root, 'node_modules/.cache/luet-ts-tests');

/**
 * How many test files run at once: as many as there are processors, where Node's runner would leave one of two idle. Most files wait for
 * one process after the other.
 */
const atOnce = Math.max(2, availableParallelism());

/** Runs test files in one run of Node's test runner, which ends with its counts, and answers its exit code. */
export function runTests(
  files: readonly string[],
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<number> {
  const reporter = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  const all = ['--test', `--test-concurrency=${atOnce}`, ...reporter, ...flags];
  const child = spawn(process.execPath, [...all, ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { NODE_COMPILE_CACHE: compiled, ...process.env, ...env },
  });
  // Ctrl-C reaches the tests as well; they clean up and end, and then so does this.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
