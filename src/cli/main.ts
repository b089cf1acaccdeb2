import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { commands } from './commands.ts';
import { interruptible, whenSuspended } from './interrupt.ts';
import { runCli } from './run.ts';

/** Replaces this program by itself under other words. */
function become([program = '', ...words]: readonly string[]): never {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  if (process.execve === undefined) throw new Error('this Node cannot replace itself');
  const file = ['/usr/bin', '/bin'].map((folder) => join(folder, program)).find(existsSync) ?? program;
  return process.execve(file, [program, ...words, '--', ...again], process.env);
}

const signal = interruptible(process);
const code = await runCli(process.argv.slice(2), commands, {
  stdout: process.stdout,
  stderr: process.stderr,
  // Opened only by a command that reads it.
  get stdin() {
    return process.stdin;
  },
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  signal,
  become,
  begunWith: process.argv,
  onSuspend: (hide, show) => whenSuspended(process, hide, show),
});
// Ends at once, whatever idle connections are still open, but not before everything is written.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
