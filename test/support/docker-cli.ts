import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What Docker's command line shows an engine for a registry: the fields of `X-Registry-Auth`. */
export type ShownAuth = Readonly<Record<string, string>>;

/** A Docker command line that pulls from an engine of ours, which takes down what it is shown. */
export class DockerCli {
  readonly #program: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'luet-ts-docker-'));
  readonly #socket = join(this.#folder, 'engine.sock');
  #shown: ShownAuth | undefined;
  readonly #server = createServer((request, response) => {
    request.resume();
    const { 'x-registry-auth': header } = request.headers;
    if (request.url?.includes('/images/create'))
      this.#shown = JSON.parse(Buffer.from(String(header), 'base64url').toString() || '{}') as ShownAuth;
    response.writeHead(200, { 'content-type': 'application/json', 'api-version': '1.41', ostype: 'linux' });
    response.end(request.url?.endsWith('/_ping') ? 'OK' : '{}');
  });

  private constructor(program: string) {
    this.#program = program;
  }

  /** Ready to be asked; `program` is the command line. */
  static async open(program: string): Promise<DockerCli> {
    const cli = new DockerCli(program);
    await new Promise<void>((resolve) => cli.#server.listen(cli.#socket, resolve));
    return cli;
  }

  /** What is shown for an image's registry with the configuration in a folder, and what is said on the way. */
  async pull(
    reference: string,
    config: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly auth: ShownAuth; readonly said: string }> {
    this.#shown = undefined;
    const child = spawn(this.#program, ['--host', `unix://${this.#socket}`, 'pull', reference], {
      env: { PATH: process.env.PATH, HOME: this.#folder, DOCKER_CONFIG: config, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    if (this.#shown === undefined) throw new Error(`${this.#program} did not pull: ${said}`);
    return { auth: this.#shown, said };
  }

  close(): void {
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
