import { execFileSync } from 'node:child_process';
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Writes a key and a certificate for 127.0.0.1 that is its own authority. */
export function makeCertificate(key: string, certificate: string): void {
  const words =
    'req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 2 -addext subjectAltName=IP:127.0.0.1';
  execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' });
}

/** A server that gives tokens for docker-registry to `me` with the password `se:cret`. */
export class TokenServer {
  /** What of the actions that are asked for is granted. */
  grants: readonly string[] = ['pull', 'push', 'delete'];
  /** How many tokens were given. */
  given = 0;
  #key = '';
  #certificate = '';
  readonly #server = createServer((request, response) => {
    const basic = `Basic ${Buffer.from('me:se:cret').toString('base64')}`;
    if (request.headers.authorization !== basic) return void response.writeHead(401).end();
    const scopes = new URL(request.url ?? '', 'http://x').searchParams.getAll('scope');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token: this.#token(scopes), expires_in: 300 }));
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  get realm(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  /** Lines of a registry's configuration that make it take the tokens that are signed with a key. */
  auth(key: string, certificate: string): string[] {
    this.#key = readFileSync(key, 'utf8');
    this.#certificate = readFileSync(certificate, 'utf8');
    return [
      'auth:',
      `  token: {realm: "${this.realm}", service: registry, issuer: test, rootcertbundle: ${certificate}}`,
    ];
  }

  #token(scopes: readonly string[]): string {
    const access = scopes.map((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',').filter((action) => this.grants.includes(action)) };
    });
    const now = Math.floor(Date.now() / 1000);
    const times = { nbf: now - 60, iat: now - 60, exp: now + 600 };
    const claims = { iss: 'test', aud: 'registry', sub: 'me', ...times, jti: String(++this.given), access };
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const x5c = [new X509Certificate(this.#certificate).raw.toString('base64')];
    const text = `${part({ typ: 'JWT', alg: 'RS256', x5c })}.${part(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), createPrivateKey(this.#key)).toString('base64url')}`;
  }
}
