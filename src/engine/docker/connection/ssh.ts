import { spawn } from 'node:child_process';
import type { Agent } from 'node:http';
import { Duplex } from 'node:stream';
import { withPipes } from '../../../async/index.ts';
import { keepingAgent } from './agent.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * An agent that connects through the user's `ssh` program, as the Docker command line does: `docker system
 * dial-stdio` on the other machine speaks the API on its standard streams. Keys, hosts and jumps are those of
 * `ssh`'s configuration.
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
    // Node's HTTP client calls methods that only sockets have.
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
