import { readFileSync } from 'node:fs';
import { HOSTNAME } from './sandbox.ts';

/** The network of a sandbox: this machine's, or an empty one. */
export type Network = 'host' | 'none';

/** The network files that a command sees in `/etc`, by name. */
export function networkFiles(network: Network): Readonly<Record<string, string>> {
  const own = `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t${HOSTNAME}\n`;
  if (network === 'none') return { hosts: own, hostname: `${HOSTNAME}\n`, 'resolv.conf': '' };
  return {
    hosts: `${own}${machineHosts()}`,
    hostname: `${HOSTNAME}\n`,
    'resolv.conf': readOr('/etc/resolv.conf'),
  };
}

/** This machine's entries for other hosts: its own names mean the sandbox inside. */
function machineHosts(): string {
  return readOr('/etc/hosts')
    .split('\n')
    .filter((line) => /^\s*[0-9a-fA-F.:]+\s/.test(line) && !/^\s*(?:127\.|::1\s)/.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
