import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Lets go of what was claimed. Safe to call twice. */
export type Release = () => void;

/** How long one waits where the holder has not begun to listen yet, in milliseconds. */
const SHORTLY = 10;

/**
 * Claims a name among all processes of this machine (of one network namespace), until it is let go of or this process ends in
 * whatever way: an abstract socket can be bound once, and goes with its process. `onWait` is told once where another has it.
 */
export async function claim(
  name: string,
  onWait: () => void = () => {},
  signal?: AbortSignal,
): Promise<Release> {
  // Names of sockets are short.
  const address = `\0luet-ts-${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
  for (let told = false; ; ) {
    signal?.throwIfAborted();
    const release = await bind(address);
    if (release !== undefined) return release;
    if (!told) onWait();
    told = true;
    await untilFree(address, signal);
  }
}

async function bind(address: string): Promise<Release | undefined> {
  const waiting = new Set<Socket>();
  const server: Server = createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => {}).on('close', () => waiting.delete(socket));
    socket.unref();
  });
  try {
    server.listen(address);
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return () => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
}

/** Resolves when the holder's end of a connection closes, or when there may be no holder any more. */
async function untilFree(address: string, signal: AbortSignal | undefined): Promise<void> {
  const socket = connect(address);
  const stop = (): void => void socket.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  let refused = false;
  socket.on('error', () => (refused = true));
  socket.resume();
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  signal?.removeEventListener('abort', stop);
  if (refused) await new Promise((resolve) => setTimeout(resolve, SHORTLY));
}
