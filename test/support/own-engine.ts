import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformanceBase } from '../../scripts/base-image.ts';
import { type Connection, connect } from '../../src/engine/docker/connection/connection.ts';
import { parseEndpoint } from '../../src/engine/docker/connection/endpoint.ts';
import { loadBase } from './engines/setup.ts';
import type { Ending } from './site.ts';

/** A Docker engine that a test may stop, fill and break. Its images lie on a small file system of their own. */
export interface OwnEngine {
  readonly url: string;
  /** Where its images lie. */
  readonly data: string;
  readonly api: Connection;
  /** Ends it: politely, which ends its containers, or as a crash does. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again; resolves when it answers. */
  start(): Promise<void>;
  /** Gives the file system with its images another size, in MiB. */
  resize(size: number): void;
}

/** Starts an engine with the tests' base image, for one test; or says why that cannot be done here. */
export async function ownEngine(ending: Ending, size: number): Promise<OwnEngine | string> {
  if (process.getuid?.() !== 0) return 'an engine of our own takes root';
  try {
    execFileSync('dockerd', ['--version'], { stdio: 'pipe' });
  } catch {
    return 'dockerd is not installed here';
  }
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-engine-'));
  const [data, exec, socket] = ['data', 'exec', 'engine.sock'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const bridge = `lt${randomBytes(4).toString('hex')}`;
  const shell = (program: string, ...words: string[]): void =>
    void execFileSync(program, words, { stdio: 'pipe' });
  let daemon: ChildProcess | undefined;
  const undo: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const clean = (): void => {
    for (const one of undo.reverse()) one();
  };
  try {
    mkdirSync(data);
    shell('mount', '-t', 'tmpfs', '-o', `size=${size}m`, 'none', data);
    undo.push(() => shell('umount', '-l', data));
    // With no bridge of its own a second daemon takes the first one's away.
    shell('ip', 'link', 'add', bridge, 'type', 'bridge');
    undo.push(() => shell('ip', 'link', 'del', bridge));
    shell('ip', 'addr', 'add', `10.213.${randomBytes(1)[0]}.1/24`, 'dev', bridge);
    shell('ip', 'link', 'set', bridge, 'up');
  } catch (error) {
    clean();
    return `a file system and a bridge cannot be made here: ${(error as Error).message.trim()}`;
  }
  const endpoint = parseEndpoint(`unix://${socket}`, undefined);
  if (typeof endpoint === 'string') throw new Error(endpoint);
  const api = await connect(endpoint);
  const engine: OwnEngine = {
    url: `unix://${socket}`,
    data,
    api,
    async stop(signal) {
      if (daemon === undefined) return;
      if (daemon.exitCode === null && daemon.signalCode === null) {
        const ended = once(daemon, 'exit');
        daemon.kill(signal);
        await ended;
      }
      daemon = undefined;
    },
    async start() {
      // Where nobody waits for processes without a parent, one that was killed seems to live on.
      rmSync(join(exec, 'containerd/containerd.pid'), { force: true });
      const log = openSync(join(folder, 'log'), 'a');
      const words = ['--host', `unix://${socket}`, '--data-root', data, '--exec-root', exec];
      const fresh = spawn(
        'dockerd',
        [
          ...words,
          ...['--pidfile', join(folder, 'pid'), '--bridge', bridge, '--shutdown-timeout', '1'],
          ...['--iptables=false', '--ip-masq=false', '--ip-forward=false', '--storage-driver', 'overlay2'],
        ],
        { stdio: ['ignore', log, log] },
      );
      daemon = fresh;
      for (;;) {
        if (await api.json('GET', '/version').then(Boolean, () => false)) return;
        if (fresh.exitCode !== null) throw new Error(readFileSync(join(folder, 'log'), 'utf8').slice(-2000));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    resize: (mebibytes) => shell('mount', '-o', `remount,size=${mebibytes}m`, data),
  };
  ending.after(async () => {
    api.close();
    await engine.stop('SIGTERM');
    for (const pid of processesOf(folder)) process.kill(pid, 'SIGKILL');
    for (const space of namespaces(exec)) {
      try {
        shell('umount', '-l', space);
      } catch {
        // Not mounted any more.
      }
    }
    clean();
  });
  try {
    await engine.start();
  } catch (error) {
    return `dockerd does not start here: ${(error as Error).message.trim().split('\n').at(-1)}`;
  }
  await loadBase(engine.url, await conformanceBase());
  return engine;
}

/** The processes that were started with a folder among their words: those that look after containers. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(`${folder}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** The network namespaces that a daemon which was killed left mounted. */
function namespaces(exec: string): string[] {
  try {
    return readdirSync(join(exec, 'netns')).map((name) => join(exec, 'netns', name));
  } catch {
    return [];
  }
}
