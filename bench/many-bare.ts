import { Agent, type ClientRequest, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { containerOf } from '../src/engine/docker/container/container.ts';
import { BASE, type Work } from './many-work.ts';

/** What the calls of some packages took, in milliseconds. */
export interface BareTimes {
  /** From the first call to the end of the last commit, and until every container was gone. */
  readonly built: number;
  readonly gone: number;
  /** The calls of each package: create, attach and start, commands, commit. */
  readonly calls: ReadonlyMap<string, Readonly<Record<'create' | 'start' | 'commands' | 'commit', number>>>;
}

/** The engine's API at a socket, with nothing between: what nobody who builds through it can do without. */
export class BareEngine {
  readonly #socket: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(address: string) {
    this.#socket = address.replace(/^unix:\/\//, '');
  }

  #request(method: string, path: string, headers: Record<string, string>): ClientRequest {
    return request({ socketPath: this.#socket, agent: this.#agent, method, path, headers });
  }

  /** One call; its answer's JSON. */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const sent = this.#request(method, path, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    });
    return await new Promise((resolve, reject) => {
      sent.on('error', reject).on('response', async (response) => {
        let said = '';
        for await (const chunk of response.setEncoding('utf8')) said += chunk as string;
        if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${said}`));
        else resolve((said.trim() === '' ? undefined : JSON.parse(said.split('\n', 1)[0] ?? '')) as T);
      });
      sent.end(text);
    });
  }

  async #attach(id: string): Promise<Duplex> {
    const sent = this.#request('POST', `/containers/${id}/attach?stream=1&stdin=1&stdout=1`, {
      connection: 'Upgrade',
      upgrade: 'tcp',
    });
    return await new Promise((resolve, reject) => {
      sent.on('error', reject).on('upgrade', (_, socket) => resolve(socket as Duplex));
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * Builds packages by bare calls, `lanes` at once, those with the longest way to go first. A package's dependants begin when
   * its image is there; its container goes meanwhile.
   */
  async build(
    works: readonly Work[],
    repository: string,
    lanes: number,
    network: string | undefined,
  ): Promise<BareTimes> {
    const calls = new Map<string, { create: number; start: number; commands: number; commit: number }>();
    const going: Promise<unknown>[] = [];
    const height = (work: Work): number =>
      1 + Math.max(0, ...works.filter(({ parent }) => parent === work.name).map(height));
    const heights = new Map(works.map((work) => [work, height(work)]));
    const left = new Set(works);
    const done = new Set<string>();
    const start = performance.now();
    const one = async ({ name, parent, prelude, step }: Work): Promise<void> => {
      const times = [performance.now()];
      const lap = (): void => void times.push(performance.now());
      const image = parent === undefined ? BASE : `${repository}:${parent}`;
      const options = { environment: new Map([['PATH', '/usr/bin:/bin']]), folder: '/luetbuild', network };
      const { Id: id } = await this.call<{ Id: string }>(
        'POST',
        '/containers/create',
        containerOf(
          image,
          network === undefined ? { ...options, network: 'default' } : { ...options, network },
          {},
        ),
      );
      lap();
      const stream = await this.#attach(id);
      await this.call('POST', `/containers/${id}/start`);
      lap();
      const said = new Promise<void>((resolve, reject) => {
        let text = '';
        stream.on('error', reject).on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
          if (text.includes('done;')) resolve();
        });
      });
      stream.write(`sh -c '${prelude}'; sh -c '${step}'; printf '%s;' done\n`);
      await said;
      lap();
      await this.call('POST', `/commit?container=${id}&repo=${repository}&tag=${name}&pause=false`, {});
      lap();
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = times;
      calls.set(name, { create: b - a, start: c - b, commands: d - c, commit: e - d });
      const gone = this.call('POST', `/containers/${id}/wait?condition=removed`).catch(() => {});
      stream.end();
      going.push(gone.then(() => stream.destroy()));
    };
    const lane = async (freed: () => Promise<void>): Promise<void> => {
      while (left.size > 0) {
        const ready = [...left].filter(({ parent }) => parent === undefined || done.has(parent));
        const next = ready.sort((a, b) => (heights.get(b) ?? 0) - (heights.get(a) ?? 0))[0];
        if (next === undefined) {
          await freed();
          continue;
        }
        left.delete(next);
        await one(next);
        done.add(next.name);
        for (const wake of waiting.splice(0)) wake();
      }
    };
    const waiting: (() => void)[] = [];
    const freed = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
    await Promise.all(Array.from({ length: lanes }, () => lane(freed)));
    const built = performance.now() - start;
    await Promise.all(going);
    return { built, gone: performance.now() - start, calls };
  }
}
