import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutPassword } from '../../../diagnostic/index.ts';
import type { EngineSettings } from '../../settings.ts';

/** Certificates for a TLS endpoint, as PEM text. */
export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A place where a Docker API may answer. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly address: string; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly address: string;
      readonly host: string;
      readonly port: number;
      readonly tls?: Tls;
    }
  | {
      readonly kind: 'ssh';
      readonly address: string;
      readonly host: string;
      readonly user?: string;
      readonly port?: number;
    };

/** The certificates that settings name. */
export const tlsOf = ({ certificates }: Pick<EngineSettings, 'certificates'>): Tls | undefined =>
  certificates === undefined ? undefined : tlsFrom(certificates);

/** Reads `ca.pem`, `cert.pem` and `key.pem` of a folder; a file that is missing is left out. */
export function tlsFrom(folder: string): Tls {
  const read = (name: string): string | undefined => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return undefined;
    }
  };
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map(read);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/**
 * Parses an engine's address: `unix:///path`, `/path`, `tcp://host:port`, `http(s)://host:port`,
 * `ssh://user@host:port`. Returns a sentence that says what is wrong where it is invalid.
 */
export function parseEndpoint(address: string, tls: Tls | undefined): Endpoint | string {
  if (address.startsWith('/')) return { kind: 'unix', address: `unix://${address}`, path: address };
  if (address.startsWith('unix://')) {
    const path = address.slice('unix://'.length);
    return path.startsWith('/')
      ? { kind: 'unix', address, path }
      : `${withoutPassword(address)}: the path of a socket begins with /, as in unix:///var/run/docker.sock`;
  }
  const shown = withoutPassword(address);
  const url = URL.parse(address);
  if (url === null || url.hostname === '')
    return `${shown} is not the address of an engine; expected unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST`;
  if (url.password !== '' || (url.username !== '' && url.protocol !== 'ssh:'))
    return `${shown}: an engine is given no password; leave it out, and use certificates or the keys of ssh`;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  switch (url.protocol) {
    case 'ssh:':
      return {
        kind: 'ssh',
        address,
        host,
        ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
        ...(url.port === '' ? {} : { port: Number(url.port) }),
      };
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const secure = url.protocol === 'https:' ? (tls ?? {}) : url.protocol === 'tcp:' ? tls : undefined;
      const port = url.port === '' ? (secure === undefined ? 2375 : 2376) : Number(url.port);
      return { kind: 'tcp', address, host, port, ...(secure === undefined ? {} : { tls: secure }) };
    }
    default:
      return `${shown}: engines are reached by unix, tcp or ssh, not ${url.protocol.slice(0, -1)}`;
  }
}
