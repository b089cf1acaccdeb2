import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with a request. */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The connection is cut behind so many bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The connection is cut behind so many bytes of the request's body; the registry does not see them. */
  | { readonly kind: 'cut-upload'; readonly after: number }
  /** Behind so many bytes of the answer's body nothing comes any more. */
  | { readonly kind: 'stall'; readonly after: number }
  /** There is no answer at all. */
  | { readonly kind: 'silent' }
  /** Behind so many bytes of the request's body nothing of it is taken any more. */
  | { readonly kind: 'stall-upload'; readonly after: number }
  /** A byte of the answer is another one. */
  | { readonly kind: 'tamper' }
  /** The answer's length is told as this. */
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'endless' }
  /** Ranges are not known: all is sent. */
  | { readonly kind: 'no-range' };

/** A request that came. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** A proxy before a registry that does what a test wants. */
export class FaultyProxy {
  readonly seen: Seen[] = [];
  /** Asked with every request. */
  fault: (seen: Seen) => Fault | undefined = () => undefined;
  readonly #upstream: string;
  readonly #server = createServer((incoming, response) => this.#serve(incoming, response));

  constructor(upstream: string) {
    this.#upstream = upstream;
  }

  async start(address = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, address, resolve));
    return `${address}:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const seen = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
    this.seen.push(seen);
    response.on('error', () => {});
    incoming.on('error', () => {});
    const fault = this.fault(seen);
    if (fault?.kind === 'answer') {
      incoming.resume();
      response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
    } else if (fault?.kind === 'endless') {
      incoming.resume();
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
      };
      response.on('drain', more);
      more();
    } else if (fault?.kind === 'silent') incoming.resume();
    else if (fault?.kind === 'stall-upload') {
      let size = 0;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size >= fault.after) incoming.pause();
      });
    } else if (fault?.kind === 'cut-upload') {
      let size = 0;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size >= fault.after) incoming.socket.destroy();
      });
      incoming.on('end', () => incoming.socket.destroy());
    } else this.#forward(incoming, response, fault);
  }

  #forward(incoming: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
    const headers = { ...incoming.headers };
    if (fault?.kind === 'no-range') delete headers.range;
    const [host = '', port] = this.#upstream.split(':');
    // The host that was asked stays, so that locations lead back to here.
    const outgoing = request(
      { host, port, method: incoming.method, path: incoming.url, headers },
      (answer) => {
        const answered = { ...answer.headers };
        if (fault?.kind === 'length') answered['content-length'] = String(fault.length);
        response.writeHead(answer.statusCode ?? 500, answered);
        let at = 0;
        answer.on('error', () => fault?.kind === 'stall' || response.destroy());
        answer.on('data', (chunk: Buffer) => {
          if (fault?.kind === 'tamper' && at === 0)
            chunk[chunk.length >> 1] = (chunk[chunk.length >> 1] ?? 0) ^ 1;
          if (fault?.kind === 'cut' && at + chunk.length > fault.after) {
            response.write(chunk.subarray(0, Math.max(0, fault.after - at)), () => response.destroy());
            outgoing.destroy();
            return;
          }
          if (fault?.kind === 'stall' && at + chunk.length > fault.after) {
            response.write(chunk.subarray(0, Math.max(0, fault.after - at)));
            outgoing.destroy();
            return;
          }
          at += chunk.length;
          if (!response.write(chunk)) {
            answer.pause();
            response.once('drain', () => answer.resume());
          }
        });
        answer.on('end', () => response.end());
      },
    );
    outgoing.on('error', () => fault?.kind === 'stall' || response.destroy());
    incoming.pipe(outgoing);
  }
}
