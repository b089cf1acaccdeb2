import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { CommandTable } from './commands.ts';
import type { Surroundings } from './context.ts';
import { endNow } from './end.ts';
import { Interruption, interruptible, whenSuspended } from './interrupt.ts';
import { version } from './version.ts';

/** Replaces this program by itself under other words. */
function become([program = '', ...words]: readonly string[]): never {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  if (process.execve === undefined) throw new Error('this Node cannot replace itself');
  const file = ['/usr/bin', '/bin'].map((folder) => join(folder, program)).find(existsSync) ?? program;
  return process.execve(file, [program, ...words, '--', ...again], process.env);
}

/** The user's home folder. An empty HOME counts as none. */
function homeFolder(): string {
  const { HOME } = process.env;
  if (HOME) return resolve(HOME);
  try {
    return userInfo().homedir;
  } catch {
    // A user that the system has no record of, as in containers that run under any id.
    return '/';
  }
}

/** The folder that the program was started in; undefined where it does not exist any more. */
function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/**
 * Runs the command line that this process was started with, and ends the process with its exit code. `load`
 * loads the commands.
 */
export function runProcess(load: () => Promise<CommandTable>): void {
  const opened: object[] = [process.stdout, process.stderr];
  const end = (code: number): never => endNow(code, opened);
  // The launcher knows whether a hang-up is to be ignored; Node forgets that.
  const ignoresHangup = process.env.LUET_TS_NOHUP === '1';
  const { signal, listen, ignore } = interruptible(process, end, ignoresHangup);
  const finish = (code: number): void => {
    ignore();
    // Not before everything is written, but whatever idle connections are still open.
    process.stdout.write('', () => process.stderr.write('', () => end(code)));
  };
  // Nothing is open any more that could go on with the command, and it has not ended.
  process.once('beforeExit', () => {
    const reason: unknown = signal.reason;
    if (reason instanceof Interruption) return finish(reason.exitCode);
    process.stderr.write(
      'luet-ts: the command stopped before it was done.\n\nThis is a bug in luet-ts: please report it.\n',
    );
    finish(1);
  });
  const cwd = currentFolder();
  if (cwd === undefined) {
    process.stderr.write('luet-ts: the current folder does not exist any more: change to one that does\n');
    finish(1);
    return;
  }
  const words = process.argv.slice(2);
  const around: Surroundings = {
    stdout: process.stdout,
    stderr: process.stderr,
    // Opened only by a command that reads it.
    get stdin() {
      if (!opened.includes(process.stdin)) opened.push(process.stdin);
      return process.stdin;
    },
    env: process.env,
    cwd,
    home: homeFolder(),
    signal,
    listen,
    become,
    begunWith: process.argv,
    onSuspend: (hide, show) => whenSuspended(process, hide, show),
  };
  void run(words, load, around).then(finish);
}

/** Runs a command line; the version is printed before anything else is loaded. */
async function run(
  words: readonly string[],
  load: () => Promise<CommandTable>,
  around: Surroundings,
): Promise<number> {
  if (words.length === 1 && (words[0] === '--version' || words[0] === '-v')) {
    around.stdout.write(`luet-ts ${version}\n`);
    return 0;
  }
  const listeners = process.stdout.listeners('error');
  const [{ runCli }, table] = await Promise.all([import('./run.ts'), load()]);
  // oclif adds one that throws what ours (interrupt.ts) deals with.
  for (const listener of process.stdout.listeners('error'))
    if (!listeners.includes(listener)) process.stdout.off('error', listener as () => void);
  return await runCli(words, table, around);
}
