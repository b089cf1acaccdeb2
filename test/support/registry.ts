import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real registry of our own, on a free port of 127.0.0.1. */
export interface TestRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  stop(): Promise<void>;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** `me` with the password `se:cret`. */
export const HTPASSWD = 'me:$2b$04$HSG5KT.sstM0cC1N6VLXpOLsYInFz0KvsRcdviUkT/9GFJniHuOF6';

/** Starts Debian's docker-registry; `auth` is the section of its configuration, a line each. */
export async function startRegistry(
  auth: (folder: string) => readonly string[] = () => [],
): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'luet-ts-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  await writeFile(join(folder, 'htpasswd'), `${HTPASSWD}\n`);
  const config = [
    'version: 0.1',
    'log: {accesslog: {disabled: true}, level: error}',
    'storage:',
    `  filesystem: {rootdirectory: ${join(folder, 'data')}}`,
    '  delete: {enabled: true}',
    'http:',
    `  addr: ${host}`,
    ...auth(folder),
  ];
  await writeFile(join(folder, 'config.yml'), `${config.join('\n')}\n`);
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' },
  });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await answers(child, host);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, stop };
}

async function answers(child: ChildProcess, host: string): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
  let failure: Error | undefined;
  child.on('error', (error) => (failure = error));
  for (let tries = 0; tries < 200; tries++) {
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null) break;
    const response = await fetch(`http://${host}/v2/`).catch(() => undefined);
    await response?.body?.cancel();
    if (response !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`docker-registry does not answer: ${said}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await end;
}
