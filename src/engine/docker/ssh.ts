import { spawn } from 'node:child_process';
import type { Agent } from 'node:http';
import { Duplex } from 'node:stream';
import { withPipes } from '../../async/index.ts';
import { keepingAgent } from './agent.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * Connections through the user's own `ssh`, as the Docker command line makes them: `docker system dial-stdio` on the far
 * side speaks the API on its standard streams, and keys, hosts and jumps are what `ssh` itself is configured for.
 */
export function sshAgent(endpoint: Extract<Endpoint, { kind: 'ssh' }>): Agent {
  const agent = keepingAgent(8);
  const target = [
    ...(endpoint.port === undefined ? [] : ['-p', String(endpoint.port)]),
    ...(endpoint.user === undefined ? [] : ['-l', endpoint.user]),
  ];
  const create = (): Duplex => {
    const words = ['-T', '-o', 'ConnectTimeout=30', ...target, '--', endpoint.host];
    const child = withPipes(
      spawn('ssh', [...words, 'docker', 'system', 'dial-stdio'], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
    child.on('error', (error) => stream.destroy(error));
    child.on('exit', (code) => {
      if (code !== 0) stream.destroy(new Error(`ssh ended with exit code ${code}`));
    });
    stream.on('close', () => child.kill());
    // Node's HTTP client asks a connection for what only sockets have.
    return Object.assign(stream, {
      setKeepAlive: () => stream,
      setNoDelay: () => stream,
      setTimeout: () => stream,
      ref: () => stream,
      unref: () => stream,
    });
  };
  return Object.assign(agent, { createConnection: create });
}
