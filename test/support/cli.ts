import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/**
 * The command as it is shipped: the launcher, which runs the bundle. The launcher bundles first where a source is newer,
 * and of several that do so at once, one does and the others wait for it.
 */
export const luetTs = join(import.meta.dirname, '../../bin/luet-ts');

/** What a command line printed, and its exit code. */
export interface CliAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const home = mkdtempSync(join(tmpdir(), 'luet-ts-home-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));

// Homes are new in each test file; what Node compiled of the bundle is kept where every launcher keeps it.
const compiled = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'luet-ts/node');

/** The ids of the processes that command lines of this test file ran as. */
export const ownProcesses = new Set<number>();

/** Runs a command line as its users do, with a home folder of its own. `signal` is Ctrl-C. */
export async function cli(
  words: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  } = {},
): Promise<CliAnswer> {
  const child = spawn(luetTs, words, {
    cwd: options.cwd ?? process.cwd(),
    env: {
      PATH: process.env.PATH,
      ...(process.env.TMPDIR !== undefined && { TMPDIR: process.env.TMPDIR }),
      HOME: home,
      NODE_COMPILE_CACHE: compiled,
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) ownProcesses.add(child.pid);
  child.stdin.on('error', () => {}).end();
  const interrupt = (): void => void child.kill('SIGINT');
  options.signal?.addEventListener('abort', interrupt, { once: true });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      // As shells say it.
      resolve(code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 0)),
    );
  });
  try {
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, stdout, stderr };
  } finally {
    options.signal?.removeEventListener('abort', interrupt);
  }
}
