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
 * Waits for work, but after an abort only for so many milliseconds; then it rejects with the signal's reason.
 * The work itself is not stopped.
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
 * Time limit for cleaning up after an abort, in milliseconds. Work has its own limits; this one is for work
 * that hangs.
 */
const CLEANING = 20_000;

/** Signals from outside as an abort signal of the whole run. */
export interface Interruptions {
  readonly signal: AbortSignal;
  /**
   * From now on the first signal from outside asks the work to end and clean up, and a second one ends the
   * process at once. Before that, the first one ends the process at once: during a long calculation no
   * listener would be called.
   */
  readonly listen: () => void;
  /** The work is over: a signal ends the process at once, again. */
  readonly ignore: () => void;
}

/**
 * Watches the signals of a process, and its outputs: a reader of standard output that went away (`luet-ts … |
 * head`) aborts quietly, and so does a terminal that hung up. `end` ends the process without waiting for
 * anything. `ignoresHangup` says that whoever started it wants it to go on without its terminal (`nohup`).
 */
export function interruptible(
  process: NodeJS.Process,
  end: (code: number) => void,
  ignoresHangup = false,
): Interruptions {
  const controller = new AbortController();
  const abort = (reason: Interruption): void => {
    controller.abort(reason);
    setTimeout(() => end(reason.exitCode), CLEANING).unref();
  };
  // From the beginning, because Node has undone that it is ignored.
  if (ignoresHangup) process.on('SIGHUP', () => {});
  const heard = Object.entries(signalCodes).filter(([name]) => !(name === 'SIGHUP' && ignoresHangup));
  const listeners = heard.map(
    ([signal, code]) =>
      [
        signal,
        () => {
          // The kernel sends one when a terminal hangs up, and the shell another: the second one is not a
          // wish of the user.
          if (signal === 'SIGHUP' && controller.signal.aborted) return;
          if (controller.signal.aborted) end(code);
          else abort(new Interruption(`interrupted by ${signal}`, code));
        },
      ] as const,
  );
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // What a terminal that has hung up answers to writers.
      const isHangup = error.code === 'EIO' && stream.isTTY;
      if (error.code !== 'EPIPE' && !isHangup) throw error;
      if (controller.signal.aborted || (isHangup && ignoresHangup)) return;
      if (isHangup) abort(new Interruption('the terminal hung up', signalCodes.SIGHUP));
      else abort(new Interruption('output closed', brokenPipe));
    });
  }
  const ignore = (): void => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
  const listen = (): void => {
    ignore();
    for (const [signal, listener] of listeners) process.on(signal, listener);
  };
  return { signal: controller.signal, listen, ignore };
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
