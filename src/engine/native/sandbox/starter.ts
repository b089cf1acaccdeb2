import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants as system } from 'node:os';
import { withPipes } from '../../../async/index.ts';
import { onlyPipes } from '../../descriptors.ts';
import type { OutputListener } from '../../types.ts';
import { beginsApart } from '../filter/index.ts';
import { quoted } from './quoted.ts';

/** Where programs are looked for, whatever this program's environment says: they run with all its rights. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The exit code of a process that SIGKILL ended, as a shell reports it. */
const SIGKILLED = 128 + system.signals.SIGKILL;

/**
 * The shell becomes the first process of a namespace, which ends with it. Its first answer comes when
 * `--kill-child` is in effect.
 */
const NAMESPACE = ['unshare', '--mount', '--mount-proc', '--pid', '--fork', '--kill-child'];

/** What makes sure that no process outlives its starter. */
export type Lifetime =
  /** The starter is the first process of a namespace, with its own `/proc` and mounts. */
  | 'namespace'
  /** Everything that it starts must care for that itself, by a parent-death signal. */
  | 'none';

/**
 * A shell that waits to start commands for this program, one after the other. Node starts a process by a fork
 * of its own, for which the kernel copies the tables of all its memory while everything else waits (9 ms at
 * 200 MB). The kernel kills the shell when this program ends. It has its own session, so that an interrupt at
 * the terminal reaches only this program.
 */
export class Starter {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #outputs: readonly [string, string];
  readonly #ready: Promise<number>;
  #answered: ((code: number) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #onOutput: OutputListener = () => {};
  #isGone = false;

  /** `base` and an ending must be free paths. */
  constructor(base: string, lifetime: Lifetime) {
    this.#outputs = [`${base}.out`, `${base}.err`];
    const first = lifetime === 'namespace' ? NAMESPACE : [];
    const { stdio, done } = onlyPipes(`${base}.none`);
    // What the shell starts has a session keyring of this run, not the caller's.
    const words = ['--pdeathsig', 'KILL', ...beginsApart(PATH), ...first, 'sh', '-s'];
    try {
      this.#child = withPipes(
        spawn('setpriv', words, { cwd: '/', env: { PATH }, stdio, detached: true }),
      ) as ChildProcessWithoutNullStreams;
    } finally {
      done();
    }
    let answer = '';
    this.#child.stdout.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (!answer.endsWith('\n')) return;
      this.#answered?.(Number(answer));
      answer = '';
    });
    this.#child.stderr.on('data', (chunk: Buffer) => this.#onOutput('stderr', chunk));
    // Writing to a shell that has ended fails; its end is reported elsewhere.
    this.#child.stdin.on('error', () => {});
    this.#child
      .on('error', (error) => this.#failed?.(error))
      .on('exit', () => {
        this.#isGone = true;
        this.#answered?.(SIGKILLED);
      });
    // Node gives children sockets, and `/dev/stdout` and `/dev/stderr` cannot be opened through those, which
    // commands do.
    this.#ready = this.#ask(`mkfifo -m 600 ${this.#outputs.map(quoted).join(' ')}`);
    this.#ready.catch(() => {});
  }

  /** The shell's process id, where it has no namespace; 0 where it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether it can start another command. */
  get isUsable(): boolean {
    return !this.#isGone;
  }

  #ask(text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      if (this.#isGone) resolve(SIGKILLED);
      this.#child.stdin.write(`${text}\necho $?\n`);
    });
  }

  /**
   * Runs shell text as a process. Resolves to its exit code, when nobody can write to its outputs any more.
   */
  async run(text: string, onOutput: OutputListener, onExit: () => void): Promise<number> {
    this.#onOutput = onOutput;
    // What prevents it was printed.
    if ((await this.#ready) !== 0) return this.#isGone ? SIGKILLED : 1;
    this.#keepAwake(true);
    // With a reader, the writer can open the pipe at once; a writer of ours keeps the reader from seeing an
    // end before the command has opened it.
    const ends = this.#outputs.map((path) => ({
      reader: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
      writer: openSync(path, constants.O_WRONLY),
    }));
    const output = ends.map(({ reader }, i) =>
      drain(reader, (chunk) => onOutput(i === 0 ? 'stdout' : 'stderr', chunk)),
    );
    const [out, err] = this.#outputs.map(quoted);
    try {
      const code = await this.#ask(`(\n${text}\n) </dev/null >${out} 2>${err}`);
      onExit();
      return code;
    } finally {
      for (const { writer } of ends) closeSync(writer);
      await Promise.all(output);
      this.#keepAwake(false);
    }
  }

  /**
   * Whether this program stays for the shell. Its outputs are sockets of Node's, though their types do not
   * say so.
   */
  #keepAwake(isAwake: boolean): void {
    for (const one of [this.#child, this.#child.stdout, this.#child.stdin] as unknown as Socket[])
      if (isAwake) one.ref();
      else one.unref();
  }

  /** Kills the shell, and everything that it started. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** A command that was started. */
export interface Started {
  /** Its exit code, when it has ended and nobody can write to its outputs any more. */
  readonly code: Promise<number>;
  kill(): void;
}

/** How a command is started. */
export interface StartOptions {
  readonly onExit?: (() => void) | undefined;
  readonly preferred?: Starter | undefined;
}

/** Shells that start commands: as many as run at the same time, used again and again. */
export class Starters {
  readonly #lifetime: Lifetime;
  readonly #fresh: () => string;
  readonly #idle: Starter[] = [];
  readonly #all = new Set<Starter>();

  /** `fresh` returns a path; that path with an ending must be free. */
  constructor(lifetime: Lifetime, fresh: () => string) {
    this.#lifetime = lifetime;
    this.#fresh = fresh;
  }

  /**
   * Starts shell text, which `text` makes for the starter that takes it: `preferred`, if that is free. Its
   * environment is `PATH` alone. `onExit` is called when it has ended, before its outputs have.
   */
  start(
    text: (by: Starter) => string,
    onOutput: OutputListener,
    { onExit = () => {}, preferred }: StartOptions = {},
  ): Started {
    const taken = this.#take(preferred);
    const code = async (): Promise<number> => {
      const ended = await taken.run(text(taken), onOutput, onExit);
      if (taken.isUsable) this.#idle.push(taken);
      return ended;
    };
    return { code: code(), kill: () => taken.kill() };
  }

  /** Whether a starter is waiting for a command. */
  isFree(starter: Starter): boolean {
    return starter.isUsable && this.#idle.includes(starter);
  }

  #take(preferred: Starter | undefined): Starter {
    const at = preferred === undefined ? -1 : this.#idle.lastIndexOf(preferred);
    if (at >= 0) this.#idle.push(...this.#idle.splice(at, 1));
    for (let one = this.#idle.pop(); one !== undefined; one = this.#idle.pop()) if (one.isUsable) return one;
    const fresh = new Starter(this.#fresh(), this.#lifetime);
    this.#all.add(fresh);
    return fresh;
  }

  /** Ends the shells, and everything that they started. */
  close(): void {
    for (const starter of this.#all) starter.kill();
    this.#all.clear();
  }
}

function drain(fd: number, onChunk: (chunk: Uint8Array) => void): Promise<void> {
  const socket = new Socket({ fd, readable: true, writable: false });
  return new Promise((resolve, reject) => {
    socket
      .on('data', onChunk)
      .on('error', reject)
      .on('close', () => resolve());
  });
}
