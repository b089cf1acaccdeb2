import { homedir } from 'node:os';
import { commands } from './commands.ts';
import { interruptible } from './interrupt.ts';
import { runCli } from './run.ts';

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
});
// Ends at once, whatever idle connections are still open, but not before everything is written.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
