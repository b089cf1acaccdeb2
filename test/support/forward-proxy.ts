import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A proxy as companies have it: it knows hosts that this machine does not, and leads to them. */
export class ForwardProxy {
  /** What it was asked: `CONNECT registry.test:443`, `GET http://registry.test/v2/`. */
  readonly seen: string[] = [];
  /** What it wants to be shown, in the form of `Proxy-Authorization`. */
  login: string | undefined;
  /** What it answers instead of leading on. */
  status: number | undefined;
  readonly #hosts: Readonly<Record<string, string>>;
  readonly #server = createServer((incoming, response) => this.#forward(incoming, response));

  /** `hosts` are those that it knows, with their ports, and where they are. */
  constructor(hosts: Readonly<Record<string, string>>) {
    this.#hosts = hosts;
    this.#server.on('connect', (incoming: IncomingMessage, socket: Socket) => this.#tunnel(incoming, socket));
  }

  /** Begins; answers `127.0.0.1:PORT`. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** The address of a host; a status where it does not lead there. */
  #find({ headers, method, url = '' }: IncomingMessage, host: string): string | number {
    this.seen.push(`${method} ${url}`);
    if (this.status !== undefined) return this.status;
    if (this.login !== undefined && headers['proxy-authorization'] !== this.login) return 407;
    return this.#hosts[host] ?? 502;
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    const url = new URL(incoming.url ?? '', 'http://none');
    const to = this.#find(incoming, url.port === '' ? `${url.host}:80` : url.host);
    if (typeof to === 'number') {
      incoming.resume();
      response.writeHead(to).end();
      return;
    }
    const [host, port] = to.split(':');
    const { method, headers } = incoming;
    const upstream = request({ host, port, method, headers, path: url.pathname + url.search }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    incoming.pipe(upstream);
  }

  #tunnel(incoming: IncomingMessage, socket: Socket): void {
    const to = this.#find(incoming, incoming.url ?? '');
    socket.on('error', () => {});
    if (typeof to === 'number') {
      socket.end(`HTTP/1.1 ${to} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const [host, port] = to.split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
  }
}
