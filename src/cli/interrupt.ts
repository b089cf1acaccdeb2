/** Why a run was aborted, and the exit code that it ends with because of that. */
export class Interruption extends Error {
  override readonly name = 'AbortError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Lets work go on after an abort for so long, in milliseconds, and no longer: the answer to the same promise, which then
 * rejects with the signal's reason. The work itself is not stopped.
 */
export async function within<T>(work: Promise<T>, signal: AbortSignal, milliseconds: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => reject(signal.reason), milliseconds);
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  try {
    return await Promise.race([work, late]);
  } finally {
    signal.removeEventListener('abort', begin);
    clearTimeout(timer);
  }
}

const signalCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Exit code when nobody reads the output any more: that of a program which SIGPIPE ended. */
const brokenPipe = 141;

/**
 * One abort signal for the whole run. The first signal from outside asks the work to end and clean up; a second
 * one ends the process at once. A reader of standard output that went away (`luet-ts … | head`) aborts quietly.
 */
export function interruptible(process: NodeJS.Process): AbortSignal {
  const controller = new AbortController();
  for (const [signal, code] of Object.entries(signalCodes)) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(code);
      controller.abort(new Interruption(`interrupted by ${signal}`, code));
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (!controller.signal.aborted) controller.abort(new Interruption('output closed', brokenPipe));
    });
  }
  return controller.signal;
}

/** As `CliContext.onSuspend`, for a process. */
export function whenSuspended(process: NodeJS.Process, hide: () => void, show: () => void): () => void {
  const stop = (): void => {
    hide();
    // What this signal does where nobody listens to it.
    process.kill(process.pid, 'SIGSTOP');
  };
  process.on('SIGTSTP', stop).on('SIGCONT', show).on('exit', hide);
  return () => void process.off('SIGTSTP', stop).off('SIGCONT', show).off('exit', hide);
}
