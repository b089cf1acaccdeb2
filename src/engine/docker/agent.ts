import type { Agent } from 'node:http';

/**
 * An agent that keeps up to so many connections. Node's HTTP is not imported: of a module of its own Node evaluates every
 * export, and among these is a client of WebSockets with all that belongs to it, which takes longer than the rest of a start (35 ms).
 */
export function keepingAgent(maxSockets: number): Agent {
  const http = process.getBuiltinModule('node:http');
  return new http.Agent({ keepAlive: true, maxSockets });
}
