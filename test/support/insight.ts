import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Connection } from '../../src/engine/docker/connection/connection.ts';
import { retryPassing } from '../../src/engine/docker/connection/passing.ts';
import { readProgress } from '../../src/engine/docker/connection/progress.ts';
import { prefixOf, Store } from '../../src/store/index.ts';
import { readTar, type SourceEntry, writeTar } from '../../src/tar/index.ts';
import { ownProcesses } from './cli.ts';
import { BASE, ENGINE, testEngine } from './engine.ts';
import { imageOf, nativeFolder, scriptEngine } from './engines/native.ts';
import { rawEngine } from './site.ts';
import { collect, directory, file, sourceOf, type WholeEntry } from './stream.ts';

/** What is left of a run in an engine: what runs, and images that were to go with the run. */
export interface Leftovers {
  readonly containers: readonly string[];
  readonly images: readonly string[];
}

/** What tests look at in an engine beside the engine's contract, and put into it. */
export interface Insight {
  leftovers(run: string): Promise<Leftovers>;
  /** What is left of this process's runs, and of the command lines that it ran. */
  ofThisProcess(): Promise<string[]>;
  /** The ids of images that have no name, and were made of packages whose names hold a text. */
  nameless(packages: string): Promise<string[]>;
  /** The files of the tests' base image, less what the engine puts into its containers. */
  baseFiles(): Promise<WholeEntry[]>;
  /** Loads an image of one layer, with any configuration (the OCI image specification's `config`). */
  load(reference: string, files: readonly WholeEntry[], config: object): Promise<void>;
  /** Removes an image, and copies of one layer that were made of it. */
  drop(reference: string): Promise<void>;
  close(): void;
}

/** Waits until nothing of a run runs any more; the test's own time is the limit. */
export async function untilGone(engine: Insight, run: string): Promise<void> {
  while ((await engine.leftovers(run)).containers.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

/** A look into the engine under test. */
export async function insight(): Promise<Insight> {
  const folder = ENGINE === undefined ? undefined : nativeFolder(ENGINE);
  return folder === undefined ? new DockerInsight(await rawEngine()) : new NativeInsight(folder);
}

const runtimePath = /^(dev|proc|sys|\.dockerenv|run\/.*|etc\/(hosts|hostname|resolv\.conf|mtab))(\/|$)|^$/;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Whether a run, by its name, is this process or a command line that it ran. */
function isOwn(run: string): boolean {
  const id = Number(run.split('.')[2]);
  return id === process.pid || ownProcesses.has(id);
}

class DockerInsight implements Insight {
  readonly #api: Connection;

  constructor(api: Connection) {
    this.#api = api;
  }

  async leftovers(run: string): Promise<Leftovers> {
    const filters = JSON.stringify({ label: [`luet-ts.run=${run}`] });
    const query = { all: '1', filters };
    const [containers, images] = await Promise.all([
      this.#api.json<{ Id: string; State: string }[]>('GET', '/containers/json', { query }),
      this.#api.json<{ Id: string; RepoTags: string[] | null }[]>('GET', '/images/json', {
        query: { filters },
      }),
    ]);
    return {
      containers: containers.map(({ Id, State }) => `${Id.slice(0, 12)} ${State}`),
      images: images.map(({ Id, RepoTags }) => RepoTags?.join(' ') || Id),
    };
  }

  async ofThisProcess(): Promise<string[]> {
    const filters = JSON.stringify({ label: ['luet-ts.run'] });
    const query = { all: '1', filters };
    type Labelled = { readonly Id: string; readonly Labels?: Readonly<Record<string, string>> | null };
    const found = [
      ...(await this.#api.json<Labelled[]>('GET', '/containers/json', { query })),
      ...(await this.#api.json<Labelled[]>('GET', '/images/json', { query: { filters } })),
    ];
    return found.filter(({ Labels }) => isOwn(Labels?.['luet-ts.run'] ?? '')).map(({ Id }) => Id);
  }

  async nameless(packages: string): Promise<string[]> {
    const query = { filters: JSON.stringify({ dangling: ['true'] }) };
    type Labelled = { readonly Id: string; readonly Labels?: Readonly<Record<string, string>> | null };
    const found = await retryPassing(() => this.#api.json<Labelled[]>('GET', '/images/json', { query }));
    return found
      .filter(({ Labels }) => Labels?.['luet-ts.package']?.includes(packages))
      .map(({ Id, Labels }) => `${Labels?.['luet-ts.package']} ${Id}`);
  }

  async baseFiles(): Promise<WholeEntry[]> {
    const { Id } = await this.#api.json<{ Id: string }>('POST', '/containers/create', {
      body: { Image: BASE, Entrypoint: ['/bin/sh'] },
    });
    try {
      const found: WholeEntry[] = [];
      const tar = await this.#api.stream('GET', `/containers/${Id}/export`);
      for await (const { entry, content } of readTar(tar))
        if (!runtimePath.test(entry.path)) found.push({ entry, content: await collect(content) });
      return found;
    } finally {
      await this.#api.json('DELETE', `/containers/${Id}`, { query: { force: '1' } });
    }
  }

  async load(reference: string, files: readonly WholeEntry[], config: object): Promise<void> {
    const layer = await collect(writeTar(sourceOf(files)));
    const description = Buffer.from(
      JSON.stringify({
        ...configurationOf(config),
        rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
        history: [{ created }],
      }),
    );
    const name = `${sha256(description)}.json`;
    const manifest = JSON.stringify([{ Config: name, RepoTags: [reference], Layers: ['layer/layer.tar'] }]);
    const archive: SourceEntry[] = [];
    for await (const one of sourceOf([
      directory('layer'),
      file('layer/layer.tar', layer),
      file(name, description),
      file('manifest.json', manifest),
    ]))
      archive.push(one);
    const upload = Readable.from(
      writeTar(
        (async function* () {
          yield* archive;
        })(),
      ),
    );
    const headers = { 'Content-Type': 'application/x-tar' };
    await readProgress(await this.#api.stream('POST', '/images/load', { upload, headers }));
  }

  async drop(reference: string): Promise<void> {
    const found = await this.#api
      .json<{ Id: string }>('GET', `/images/${reference}/json`)
      .catch(() => undefined);
    if (found === undefined) return;
    const flat = `luet/flat:${found.Id.replace('sha256:', '')}`;
    for (const name of [flat, reference])
      await this.#api.json('DELETE', `/images/${name}`, { query: { force: '1' } }).catch(() => {});
  }

  close(): void {
    this.#api.close();
  }
}

class NativeInsight implements Insight {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async leftovers(run: string): Promise<Leftovers> {
    const store = new Store({ folder: this.#folder, runId: 'insight', form: 'user' });
    const images: string[] = [];
    for (const repository of store.records.repositories())
      for (const [tag, record] of store.records.list(repository))
        if (record.temporary && record.run === run) images.push(`${repository}:${tag}`);
    return { containers: processesOf(this.#folder, run), images };
  }

  async ofThisProcess(): Promise<string[]> {
    const runs = existsSync(`${this.#folder}/runs`) ? readdirSync(`${this.#folder}/runs`) : [];
    return runs.filter((run) => isOwn(decodeURIComponent(run)));
  }

  async nameless(): Promise<string[]> {
    return [];
  }

  async baseFiles(): Promise<WholeEntry[]> {
    const engine = await testEngine();
    try {
      const reader = await engine.openForReading(BASE);
      const found: WholeEntry[] = [];
      for await (const one of reader.read(await reader.list('')))
        if (!runtimePath.test(one.file.path))
          found.push({
            entry: { ...one.file, mtime: one.file.type === 'directory' ? 0 : one.file.mtime },
            content: await collect(one.content ?? sourceOfNothing()),
          });
      await reader.close();
      return found;
    } finally {
      await engine.close();
    }
  }

  async load(reference: string, files: readonly WholeEntry[], config: object): Promise<void> {
    const layer = await collect(writeTar(sourceOf(files)));
    const engine = scriptEngine(this.#folder);
    try {
      const image = imageOf(layer, `sha256:${sha256(layer)}`, configurationOf(config));
      await engine.images.write(reference, image);
    } finally {
      await engine.close();
    }
  }

  async drop(reference: string): Promise<void> {
    const engine = scriptEngine(this.#folder);
    await engine.remove(reference);
    await engine.close();
  }

  close(): void {}
}

const created = '2024-01-02T03:04:05Z';
const configurationOf = (
  config: object,
): { architecture: string; os: string; created: string; config: object } => ({
  architecture: process.arch === 'x64' ? 'amd64' : process.arch,
  os: 'linux',
  created,
  config,
});

async function* sourceOfNothing(): AsyncGenerator<Uint8Array> {}

/** The processes that run in a workspace of a run: files of it lie over some of theirs. */
export function processesOf(store: string, run: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
        if (mounts.includes(`/runs/${encodeURIComponent(run)}/s`)) return true;
        return readlinkSync(`/proc/${pid}/root`).startsWith(`${store}/layers/${prefixOf(run)}-`);
      } catch {
        return false;
      }
    })
    .map((pid) => `${store} ${pid}`);
}
