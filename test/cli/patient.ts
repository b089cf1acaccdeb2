/** A command line whose one command waits to be stopped: `patient polite|deaf|chatty`. */
import { setInterval as every } from 'node:timers/promises';
import { interruptible } from '../../src/cli/interrupt.ts';
import { runCli } from '../../src/cli/run.ts';

const action = async (manner: string, signal: AbortSignal): Promise<void> => {
  process.stdout.write('started\n');
  if (manner === 'polite') {
    await new Promise<void>((resolve) => {
      const keepRunning = setInterval(() => {}, 1000);
      signal.addEventListener('abort', () => {
        clearInterval(keepRunning);
        process.stdout.write('cleaned up\n');
        resolve();
      });
    });
    signal.throwIfAborted();
  }
  for await (const _ of every(2)) {
    if (manner === 'chatty') {
      process.stdout.write('more\n');
      signal.throwIfAborted();
    }
  }
};

const code = await runCli(
  process.argv.slice(2),
  [
    {
      name: 'patient',
      summary: 'Waits',
      load: async () => ({
        register: (parent, context) =>
          parent.command('patient <manner>').action((manner: string) => action(manner, context.signal)),
      }),
    },
  ],
  {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: {},
    cwd: '/',
    home: '/',
    signal: interruptible(process),
  },
);
process.exit(code);
