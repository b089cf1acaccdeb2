/** Forms of what goes to standard error. */
export const logFormats = ['auto', 'plain', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** What only looks different: flags that every command accepts. */
export interface DisplayFlags {
  /** More detail than a person normally wants (`--debug`). */
  readonly debug: boolean;
  /** Results and errors only (`--quiet`). */
  readonly quiet: boolean;
  /** The output of commands that run, as it comes (`--live-output`). */
  readonly liveOutput: boolean;
  /** Whether progress may be drawn over (`--no-spinner` says no). */
  readonly spinner: boolean;
  /** How progress and findings are written (`--log-format`): `auto` draws over where there is a terminal. */
  readonly logFormat: LogFormat;
}

/** A stream that text is written to, which may be a terminal. */
export interface Output {
  write(text: string | Uint8Array): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/**
 * All that a command may know of the world around it; everything random, clocked or environmental enters
 * here.
 */
export interface CliContext {
  /** Where results go. */
  readonly stdout: Output;
  /** Where progress and diagnostics go. */
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the folder that relative paths on the command line start from. */
  readonly cwd: string;
  /** Absolute path of the user's home folder. */
  readonly home: string;
  readonly now: () => Date;
  /** Aborted when nobody reads the output any more and, after `listen`, by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /**
   * To be called before anything is started that has to be cleaned up. Until then, a signal from outside ends
   * the process at once.
   */
  readonly listen: () => void;
  /**
   * Calls `hide` before the program is stopped (Ctrl-Z) or exits, and `show` when it continues. Answers a
   * function that ends this.
   */
  readonly onSuspend: (hide: () => void, show: () => void) => () => void;
  /** Whether results on `stdout` may be coloured. */
  readonly color: boolean;
  /** Whether what goes to `stderr` may be coloured. */
  readonly errorColor: boolean;
  /** Whether `stderr` is a terminal on which lines can be drawn over. */
  readonly isTerminal: boolean;
  readonly display: DisplayFlags;
  /** Whether a warning that is shown makes the command fail (`--fatal`). */
  readonly fatal: boolean;
  /**
   * Starts this command line again in the same process, run by another program: `words` are that program and
   * its arguments. Absent where this process is not the command's own (in tests).
   */
  readonly become?: ((words: readonly string[]) => never) | undefined;
  /**
   * The words that this process was started with, if file descriptors that it inherited are to be closed.
   * Absent where this process is not the command's own.
   */
  readonly begunWith?: readonly string[] | undefined;
  /** Random lower-case hexadecimal name of this run, for labels and for files of its own. */
  readonly runId: string;
  /** Sets the exit code of a command that ends without throwing; 0 where it is not called. */
  readonly setExitCode: (code: number) => void;
}

/** What a context is made from: the parts of `process` that it reads. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly signal: AbortSignal;
  readonly listen?: CliContext['listen'];
  readonly onSuspend?: CliContext['onSuspend'];
  readonly now?: () => Date;
  readonly runId?: string;
  readonly become?: ((words: readonly string[]) => never) | undefined;
  readonly begunWith?: readonly string[] | undefined;
}

/** Flags of the command line that a context depends on; undefined where they are not given. */
export interface ContextFlags extends Partial<DisplayFlags> {
  readonly color?: boolean | undefined;
  readonly fatal?: boolean | undefined;
}

/**
 * Whether a stream may be coloured. A flag decides first, then `NO_COLOR` and `FORCE_COLOR`, then whether it
 * is a terminal that shows colours.
 */
export function mayColor(flag: boolean | undefined, env: Surroundings['env'], stream: Output): boolean {
  if (flag !== undefined) return flag;
  if (env.NO_COLOR) return false;
  const forced = env.FORCE_COLOR;
  if (forced) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

// Loading node:crypto costs a fifth of a start, and most commands need no name.
function randomName(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex');
}

/** The context of one run; `setExitCode` gets the exit code of the run. */
export function createContext(
  around: Surroundings,
  flags: ContextFlags,
  setExitCode: (code: number) => void,
): CliContext {
  let runId = around.runId;
  return {
    stdout: around.stdout,
    stderr: around.stderr,
    // Opening standard input costs time; most commands never read it.
    get stdin() {
      return around.stdin;
    },
    env: around.env,
    cwd: around.cwd,
    home: around.home,
    now: around.now ?? (() => new Date()),
    become: around.become,
    begunWith: around.begunWith,
    signal: around.signal,
    listen: around.listen ?? (() => {}),
    onSuspend: around.onSuspend ?? (() => () => {}),
    color: mayColor(flags.color, around.env, around.stdout),
    errorColor: mayColor(flags.color, around.env, around.stderr),
    isTerminal: around.stderr.isTTY === true && around.env.TERM !== 'dumb' && !around.env.CI,
    display: {
      debug: flags.debug ?? false,
      quiet: flags.quiet ?? false,
      liveOutput: flags.liveOutput ?? false,
      spinner: flags.spinner ?? true,
      logFormat: flags.logFormat ?? 'auto',
    },
    fatal: flags.fatal ?? false,
    get runId() {
      runId ??= randomName();
      return runId;
    },
    setExitCode,
  };
}
