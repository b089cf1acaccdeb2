import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Daemon } from './keeper.ts';

/** An engine that is there for as long as somebody holds it. */
export interface HeldEngine {
  /** Its address, as `DOCKER_HOST` takes it. */
  readonly url: string;
  /** Says that it is not needed here any more; the last one to do so stops it. The end of the process does it too. */
  readonly release: () => void;
}

/** Milliseconds in which an engine must be there, those included that an ending one takes. */
const patience = 100_000;

function open(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', () => resolve(undefined));
  });
}

/** What the keeper says first; undefined where it ended before it said anything. */
function firstLine(socket: Socket): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString();
      if (said.endsWith('\n')) resolve(JSON.parse(said) as Answer);
    });
    socket.on('close', () => resolve(undefined));
  });
}

/** Starts a keeper under the lock of the daemon's folder; where another holds the lock, this one ends at once. */
function startKeeper(daemon: Daemon): void {
  const log = openSync(join(daemon.folder, 'keeper.log'), 'a');
  const keeper = join(import.meta.dirname, 'keeper.ts');
  const lock = join(daemon.folder, 'lock');
  spawn('flock', ['--nonblock', '--close', lock, process.execPath, keeper, JSON.stringify(daemon)], {
    detached: true,
    stdio: ['ignore', log, log],
  }).unref();
}

/**
 * Starts a daemon, or shares it with those who hold it already. Rejects with a message for people where it does not
 * start.
 */
export async function holdEngine(daemon: Daemon): Promise<HeldEngine> {
  mkdirSync(daemon.folder, { recursive: true, mode: 0o700 });
  const door = join(daemon.folder, 'keeper.sock');
  const limit = Date.now() + patience;
  for (let round = 0; Date.now() < limit; round++) {
    const socket = await open(door);
    if (socket === undefined) {
      // Nobody is there, or one is about to leave: ask for a keeper now and again until one holds the lock.
      if (round % 6 === 0) startKeeper(daemon);
      await sleep(50);
      continue;
    }
    const answer = await firstLine(socket);
    if (answer === undefined) continue;
    if ('error' in answer) {
      socket.destroy();
      throw new Error(answer.error);
    }
    socket.unref();
    return { url: answer.url, release: () => socket.destroy() };
  }
  throw new Error(`${daemon.name} is not there after ${patience / 1000} s; see ${daemon.folder}/keeper.log`);
}
