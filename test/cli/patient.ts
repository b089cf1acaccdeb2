/** A command line whose one command is in a certain way hard to end: `patient MANNER [FILE]`. */
import { open } from 'node:fs/promises';
import { setInterval as every } from 'node:timers/promises';
import { LuetCommand } from '../../src/cli/command.ts';
import { argument, optionalArgument } from '../../src/cli/flags/arguments.ts';
import type { CliContext } from '../../src/cli/index.ts';
import { runProcess } from '../../src/cli/process.ts';

type Manner = (context: CliContext, path: string) => Promise<void>;

const manners: Readonly<Record<string, Manner>> = {
  /** Waits, and cleans up when it is told to end. */
  async polite({ signal }) {
    await new Promise<void>((resolve) => {
      const keepRunning = setInterval(() => {}, 1000);
      signal.addEventListener('abort', () => {
        clearInterval(keepRunning);
        process.stdout.write('cleaned up\n');
        resolve();
      });
    });
    signal.throwIfAborted();
  },
  /** Goes on whatever it is told. */
  async deaf() {
    for await (const _ of every(2));
  },
  /** Writes without end. */
  async chatty({ signal }) {
    for await (const _ of every(2)) {
      process.stdout.write('more\n');
      signal.throwIfAborted();
    }
  },
  /** Leaves a thread behind that waits for somebody to open a named pipe, and ends with 3. */
  async stuck({ setExitCode }, pipe) {
    void open(pipe, 'r');
    setExitCode(3);
  },
  /** Leaves such a thread behind and goes on. */
  async deafAndStuck(context, pipe) {
    void open(pipe, 'r');
    await manners.deaf?.(context, pipe);
  },
  /** Waits for what nothing will do. */
  async forgotten() {
    await new Promise(() => {});
  },
  /** Reads something of standard input, and leaves it open. */
  async reading({ stdin }) {
    await new Promise((resolve) => stdin.once('data', resolve));
  },
  /** Calculates, and gives no turn to anything else. */
  async busy() {
    for (;;);
  },
};

class Patient extends LuetCommand<typeof Patient> {
  static override args = { manner: argument('how it waits'), path: optionalArgument('a named pipe') };

  override async run(): Promise<void> {
    const { manner, path = '' } = this.args;
    if (manner !== 'busy') this.context.listen();
    process.stdout.write('started\n');
    await manners[manner]?.(this.context, path);
  }
}

runProcess(async () => ({
  topics: {},
  commands: { patient: { summary: 'wait', load: async () => ({ default: Patient }) } },
}));
