/**
 * Keeps one engine's daemon for as long as anybody needs it: `node keeper.ts DAEMON` with a `Daemon` as JSON, started by
 * `own.ts` under a lock on the daemon's folder, so that there is one.
 *
 * Who needs the daemon holds a connection to `keeper.sock`: it is told the engine's address when it answers, and
 * when the last connection ends, however the process behind it ended, the daemon is stopped.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that serves the Docker API, and where it lives. */
export interface Daemon {
  /** For people, such as `Docker 20.10`. */
  readonly name: string;
  /** Holds sockets, pid and log; gone or reused at the next start. */
  readonly folder: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The socket on which it serves; in `folder`. */
  readonly socket: string;
  /** Commands run before it starts, each of which may fail, and when it has stopped. */
  readonly before?: readonly (readonly string[])[];
  readonly after?: readonly (readonly string[])[];
}

/** What the keeper tells each connection, as one line of JSON. */
export type Answer = { readonly url: string } | { readonly error: string };

/** Milliseconds for a daemon to answer first, and to end when it is told to. */
const startLimit = 60_000;
const stopLimit = 20_000;
/** Milliseconds without any connection before the first one comes. */
const lonelyLimit = 20_000;

/** Whether a Docker API answers on a unix socket. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

/** Whether a process lives and has a path of this folder on its command line. */
function livesIn(pid: number, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`);
  } catch {
    return false;
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function quietly(commands: Daemon['before']): void {
  for (const [program = '', ...args] of commands ?? []) {
    try {
      execFileSync(program, args, { stdio: 'ignore' });
    } catch {
      // The daemon itself says what it misses.
    }
  }
}

/** Ends a process: asks, waits, and then does not ask. */
async function end(pid: number, folder: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!livesIn(pid, folder)) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    const limit = Date.now() + stopLimit;
    while (livesIn(pid, folder) && Date.now() < limit) await sleep(50);
  }
}

/** Ends what an earlier keeper that was killed left behind: its daemon, and a containerd that this one had started. */
async function clean({ folder }: Daemon): Promise<void> {
  for (const file of ['daemon.pid', 'exec/containerd/containerd.pid']) {
    const pid = readPid(join(folder, file));
    if (pid !== undefined) await end(pid, folder);
    rmSync(join(folder, file), { force: true });
  }
}

/** The last lines of a file, for a message. */
function tail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
}

function start(daemon: Daemon, log: string): ChildProcess {
  rmSync(daemon.socket, { force: true });
  quietly(daemon.before);
  const out = openSync(log, 'w');
  // Where this process is killed, the kernel ends the daemon too.
  const leash = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'] : [];
  const [program = '', ...args] = [...leash, ...daemon.argv];
  const child = spawn(program, args, { stdio: ['ignore', out, out], env: { ...process.env, ...daemon.env } });
  child.on('error', (error) => writeFileSync(log, `${error.message}\n`, { flag: 'a' }));
  if (child.pid !== undefined) writeFileSync(join(daemon.folder, 'daemon.pid'), String(child.pid));
  return child;
}

async function keep(daemon: Daemon): Promise<void> {
  const log = join(daemon.folder, 'daemon.log');
  const door = join(daemon.folder, 'keeper.sock');
  const connections = new Set<Socket>();
  let answer: Answer | undefined;
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const tell = (socket: Socket): void => void (answer && socket.write(`${JSON.stringify(answer)}\n`));
  const lonely = setTimeout(leave, lonelyLimit);
  const server = createServer((socket) => {
    clearTimeout(lonely);
    connections.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      connections.delete(socket);
      if (connections.size === 0) leave();
    });
    socket.resume();
    tell(socket);
  });
  rmSync(door, { force: true });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(door, resolve));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, leave);

  await clean(daemon);
  const child = start(daemon, log);
  const exited = new Promise<void>(
    (resolve) => void child.once('exit', () => resolve()).once('error', () => resolve()),
  );
  const limit = Date.now() + startLimit;
  let running = true;
  void exited.then(() => {
    running = false;
  });
  while (running && Date.now() < limit && !(await answers(daemon.socket))) await sleep(50);
  answer =
    running && (await answers(daemon.socket))
      ? { url: `unix://${daemon.socket}` }
      : { error: `${daemon.name} does not start; the end of ${log}:\n${tail(log)}` };
  for (const socket of connections) tell(socket);
  if ('url' in answer) await Promise.race([left, exited]);

  // From here on nobody is let in: who comes now starts the next keeper, which waits for this one's lock.
  rmSync(door, { force: true });
  server.close();
  for (const socket of connections) socket.end();
  if (child.pid !== undefined) await end(child.pid, daemon.folder);
  await clean(daemon);
  rmSync(daemon.socket, { force: true });
  quietly(daemon.after);
}

if (import.meta.main) {
  const daemon = JSON.parse(process.argv[2] ?? '') as Daemon;
  mkdirSync(daemon.folder, { recursive: true });
  await keep(daemon);
  process.exit(0);
}
