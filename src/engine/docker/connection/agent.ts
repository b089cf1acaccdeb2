import type { Agent } from 'node:http';

/**
 * An HTTP agent that keeps up to `maxSockets` connections. It does not import `node:http`: of its modules
 * Node evaluates every export, a WebSocket client among them, which takes longer than the rest of the start
 * (35 ms).
 */
export function keepingAgent(maxSockets: number): Agent {
  const http = process.getBuiltinModule('node:http');
  return new http.Agent({ keepAlive: true, maxSockets });
}
