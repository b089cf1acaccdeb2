import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { waitFor } from '../../../async/index.ts';
import { EngineError } from '../../errors.ts';
import type { EngineSettings } from '../../settings.ts';
import type { Endpoint } from '../connection/endpoint.ts';

/** A podman process that serves the Docker API for this run alone. */
export interface PodmanService {
  readonly endpoint: Extract<Endpoint, { kind: 'unix' }>;
  stop(): void;
}

/** How long podman may take until it listens, in milliseconds. */
const PATIENCE = 20_000;

/**
 * The service ends by itself after so many seconds without a connection, so a run that was killed leaves none
 * behind.
 */
const IDLE = 120;

/** CAP_SYS_RESOURCE: without it, no process may raise its limits. */
const SYS_RESOURCE = 1n << 24n;

/**
 * Starts `podman system service` on a socket in a new folder below `temporary`. Rejects with an
 * `EngineError`.
 */
export async function podmanService(
  environment: EngineSettings['environment'],
  temporary: string,
  signal: AbortSignal | undefined,
): Promise<PodmanService> {
  const folder = await mkdtemp(join(temporary, 'luet-ts-podman-'));
  const path = join(folder, 'podman.sock');
  const [program = 'podman', ...words] = commandLine(environment, path);
  const log = join(folder, 'log');
  const output = openSync(log, 'w', 0o600);
  // To a file, since a pipe that nobody reads any more would end it.
  const child = spawn(program, words, { stdio: ['ignore', output, output], env: { ...environment } });
  closeSync(output);
  let ended = false;
  child.on('error', () => {
    ended = true;
  });
  child.on('exit', () => {
    ended = true;
  });
  const stop = (): void => {
    child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  const isOver = async (): Promise<'listens' | 'ended' | undefined> => {
    if (await listens(path)) return 'listens';
    return ended || signal?.aborted ? 'ended' : undefined;
  };
  if ((await waitFor(isOver, { pause: 30, factor: 1, patience: PATIENCE })) !== 'listens') {
    const said = readFileSync(log, 'utf8').slice(-2000);
    stop();
    throw new EngineError(
      `podman does not serve: ${said.trim().split('\n').at(-1) || (ended ? 'it ended' : 'it does not listen')}`,
    );
  }
  child.unref();
  return { endpoint: { kind: 'unix', address: `unix://${path}`, path }, stop };
}

/** The program, and its arguments, that serves the Docker API on a socket. */
function commandLine(environment: EngineSettings['environment'], socket: string): string[] {
  const flags = [
    ...(existsSync('/run/systemd/system') ? [] : ['--cgroup-manager', 'cgroupfs']),
    // crun refuses to run beside version 1 control groups; runc does not.
    ...(existsSync('/sys/fs/cgroup/cgroup.controllers') || find('runc', environment.PATH) === undefined
      ? []
      : ['--runtime', 'runc']),
  ];
  // Podman gives containers its own limits or higher ones. Where it cannot raise limits, lower ones of its
  // own help.
  const limits =
    mayRaiseLimits() || find('prlimit', environment.PATH) === undefined
      ? []
      : ['prlimit', '--nofile=4096', '--nproc=4096', '--'];
  const service = ['system', 'service', '--time', String(IDLE), `unix://${socket}`];
  return [...limits, 'podman', ...flags, ...service];
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function mayRaiseLimits(): boolean {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return effective === undefined || (BigInt(`0x${effective}`) & SYS_RESOURCE) !== 0n;
  } catch {
    return true;
  }
}

/** The path of podman's program; undefined where it is not installed. */
export const findPodman = (environment: EngineSettings['environment']): string | undefined =>
  find('podman', environment.PATH);

function find(program: string, path: string | undefined): string | undefined {
  for (const folder of (path ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
