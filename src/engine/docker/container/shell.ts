import type { Duplex } from 'node:stream';
import { EngineError } from '../../errors.ts';
import type { OutputListener } from '../../types.ts';

/** Text as one word of a POSIX shell. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** One output of the shell, in which the token is searched that ends a command's output. */
class Channel {
  #held: Buffer = Buffer.alloc(0);
  /** The text between the token and `;`, once both have arrived. */
  done: string | undefined;
  readonly #token: Buffer;
  readonly #emit: (chunk: Uint8Array) => void;

  constructor(token: Buffer, emit: (chunk: Uint8Array) => void) {
    this.#token = token;
    this.#emit = emit;
  }

  write(chunk: Buffer): void {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const at = data.indexOf(this.#token);
    if (at < 0) {
      const keep = this.#partial(data);
      this.#pass(data.subarray(0, data.length - keep));
      this.#held = data.subarray(data.length - keep);
      return;
    }
    const end = data.indexOf(';', at + this.#token.length);
    if (end < 0) {
      this.#held = data;
      return;
    }
    this.#pass(data.subarray(0, at));
    this.done = data.toString('latin1', at + this.#token.length, end);
    this.#held = data.subarray(end + 1);
  }

  /** How many of the last bytes may be the start of the token. */
  #partial(data: Buffer): number {
    for (let n = Math.min(this.#token.length - 1, data.length); n > 0; n--) {
      if (data.subarray(data.length - n).equals(this.#token.subarray(0, n))) return n;
    }
    return 0;
  }

  #pass(data: Buffer): void {
    if (data.length > 0) this.#emit(data);
  }

  restart(): void {
    this.done = undefined;
  }
}

/**
 * The shell that is the first process of a container. It reads what to run from its standard input, which is
 * a stream of ours; when that stream ends, in whatever way, the shell ends, and the container with it.
 *
 * Each command is a new `/bin/sh -c`. After it, the shell kills what the command left running (as first
 * process of its namespace it reaches all processes there, and no others), and writes the token with the exit
 * code to both outputs. While a command runs, a guard process reads the shell's input; nothing arrives there
 * but its end, at which the guard kills the command.
 */
export class Shell {
  readonly #stream: Duplex;
  readonly #token: string;
  readonly #folder: string;
  readonly #channels: { readonly stdout: Channel; readonly stderr: Channel };
  #listener: OutputListener = () => {};
  #rest: Buffer = Buffer.alloc(0);
  #settle: { resolve: (code: number) => void; reject: (error: Error) => void } | undefined;
  #ended: Error | undefined;

  /**
   * `token` must not occur in any output: use a new random one. Commands start in `folder`, an absolute path.
   */
  constructor(stream: Duplex, token: string, folder: string) {
    this.#stream = stream;
    this.#token = token;
    this.#folder = folder;
    const bytes = Buffer.from(token, 'latin1');
    this.#channels = {
      stdout: new Channel(bytes, (chunk) => this.#listener('stdout', chunk)),
      stderr: new Channel(bytes, (chunk) => this.#listener('stderr', chunk)),
    };
    stream.on('data', (chunk: Buffer) => this.#demultiplex(chunk));
    stream.on('error', (error: Error) =>
      this.#end(
        new EngineError(`the connection to the container broke: ${error.message}`, {
          cause: error,
          kind: 'gone',
        }),
      ),
    );
    for (const event of ['close', 'end'])
      stream.on(event, () => this.#end(new EngineError('the container ended', { kind: 'killed' })));
  }

  /**
   * Splits the API's framing of both outputs: one byte for which of them, three zero bytes, four for the
   * length, then the content.
   */
  #demultiplex(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length >= 8) {
      const length = data.readUInt32BE(4);
      if (data.length < 8 + length) break;
      this.#channels[data[0] === 2 ? 'stderr' : 'stdout'].write(data.subarray(8, 8 + length));
      data = data.subarray(8 + length);
    }
    this.#rest = data;
    const { stdout, stderr } = this.#channels;
    if (stdout.done === undefined || stderr.done === undefined) return;
    const code = Number(stdout.done);
    stdout.restart();
    stderr.restart();
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve(code);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#settle?.reject(this.#ended);
    this.#settle = undefined;
  }

  /** Runs shell text in the first process itself, to change that process. */
  configure(text: string): Promise<number> {
    return this.#submit(`${text}\nset -- $?\n`, () => {});
  }

  /** Runs one command and resolves to its exit code. Only one command can run at a time. */
  run(command: string, listener: OutputListener): Promise<number> {
    const folder = quoteForShell(this.#folder);
    // Only positional parameters are used, because every variable belongs to the command. The guard is not a
    // child of this shell, which would otherwise print how it ended; `cd` may fail because a command removed
    // the folder. Killed jobs are collected by `jobs`, which needs no process. `command` keeps this shell
    // alive where no process can be created for a subshell.
    return this.#submit(
      `( (case $$ in 1) read -r x; while kill -9 -1 2>/dev/null; do :; done;; esac) <&3 & ) 3<&0
(cd ${folder} 2>/dev/null || { mkdir -p ${folder} && cd ${folder}; }; unset OLDPWD; exec /bin/sh -c ${quoteForShell(command)}) </dev/null
set -- $?
case $$ in 1) while kill -9 -1 2>/dev/null; do jobs; command eval '(:)'; set -- "$@" x; case $# in 2000) break;; esac; done >/dev/null 2>&1;; esac
`,
      listener,
    );
  }

  #submit(text: string, listener: OutputListener): Promise<number> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#settle !== undefined) return Promise.reject(new Error('a command is running already'));
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      // In braces, so that the shell has read all of it before it runs any of it.
      this.#stream.write(
        `{\n${text}printf '%s%s;' ${this.#token} "$1"; printf '%s;' ${this.#token} >&2\n}\n`,
      );
    });
  }

  /**
   * How many processes of the container the kernel has killed because memory ran out, as the container's own
   * control group counts them; 0 where that cannot be read. The engine's events and states report it only
   * where it was the shell itself.
   */
  memoryKills(): Promise<number> {
    return this.#submit(
      `set -- $(for f in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
while read -r k n; do case $k in oom_kill) printf '%d ' "$n";; esac; done <"$f"; done 2>/dev/null) 0
`,
      () => {},
    );
  }

  /**
   * Whether not even a mebibyte can be written in the container any more. Only for a container that is not
   * used after that.
   */
  async isFull(): Promise<boolean> {
    const code = await this.configure(`(printf %01048576d 0 >/.luet-ts-full) 2>/dev/null
set -- $?; (: >/.luet-ts-full) 2>/dev/null; (exit "$1")`);
    return code !== 0;
  }

  /** Whether the connection, and so the container, has ended. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Whether a command is running now. */
  get busy(): boolean {
    return this.#settle !== undefined;
  }

  /** Closes the shell's input, which ends the shell. */
  end(): void {
    this.#stream.end();
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#stream.destroy();
  }
}
