import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
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

/** Whether a test file asks for no other engine than the native one, or makes its own. */
export const isNativeOnly = (file: string): boolean => /(^|\/)engine\/(native|security)\//.test(file);

/** Whether a test file has tests on a registry of its own. */
export const needsRegistry = (file: string): boolean =>
  /(^|\/)(image\/registry\/|e2e\/(image-commands|package-images)\.)/.test(file);

/** Runs test files in one run of Node's test runner, which ends with its counts, and answers its exit code. */
export function runTests(
  files: readonly string[],
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<number> {
  const all = ['--test', '--test-reporter=spec', '--test-reporter-destination=stdout', ...flags];
  const child = spawn(process.execPath, [...all, ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  // Ctrl-C reaches the tests as well; they clean up and end, and then so does this.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
