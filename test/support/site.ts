import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { dump } from 'js-yaml';
import { openArchive } from '../../src/artifact/index.ts';
import { type Connection, connect } from '../../src/engine/docker/connection/connection.ts';
import { parseEndpoint } from '../../src/engine/docker/connection/endpoint.ts';
import type { Engine } from '../../src/engine/index.ts';
import { type Entry, readTar } from '../../src/tar/index.ts';
import { type CliAnswer, cli, luetTs } from './cli.ts';
import { BASE, ENGINE, testEngine } from './engine.ts';
import { collect } from './stream.ts';

/** A package to write into a tree: its folder is its name. */
export interface PackageFiles {
  /** Further fields of `definition.yaml`; the name, category `t` and version `1` are given. */
  readonly definition?: Readonly<Record<string, unknown>>;
  /** `build.yaml`, as data or as it is written; none where absent. */
  readonly build?: Readonly<Record<string, unknown>> | string;
  /** Files beside it, by their paths. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A requirement on a package of the same tree. */
export const needs = (...names: readonly string[]): { requires: object[] } => ({
  requires: names.map((name) => ({ name, category: 't', version: '>=0' })),
});

/** A build spec on the base image of the tests. */
export const onBase = (...steps: readonly string[]): Record<string, unknown> => ({ image: BASE, steps });

/** Writes packages into a folder. */
export function writeTree(folder: string, packages: Readonly<Record<string, PackageFiles>>): void {
  const text = (value: unknown): string => (typeof value === 'string' ? value : dump(value));
  for (const [name, { definition, build, files }] of Object.entries(packages)) {
    const all: Record<string, string> = {
      'definition.yaml': text({ name, category: 't', version: '1', ...definition }),
      ...(build === undefined ? {} : { 'build.yaml': text(build) }),
      ...files,
    };
    for (const [path, content] of Object.entries(all)) {
      const file = join(folder, name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
}

/** Something that can put work off until a test is over: a test's or a suite's context. */
export interface Ending {
  after(work: () => void | Promise<void>): void;
}

/** A tree with a destination and an image repository of its own, in a folder that goes with the test. */
export interface Site {
  readonly folder: string;
  readonly tree: string;
  readonly out: string;
  readonly repository: string;
  /** Runs `luet-ts build` with a home folder of the test file's. Flags that are given later win. */
  build(words: readonly string[], options?: BuildOptions): Promise<CliAnswer>;
  /** The words of the same command line, for a process of its own. */
  words(more: readonly string[]): string[];
  /** Runs `luet-ts build` as a process, with temporary files in a folder of the site; `under` are words that end with a program to run. */
  spawn(words: readonly string[], env?: Readonly<Record<string, string>>, under?: readonly string[]): Running;
  /** Where processes of this site keep temporary files. */
  readonly temporary: string;
  /** Writes a package of the tree, or writes it anew. */
  write(name: string, files: PackageFiles): void;
  /** The tags of this site's images, sorted. */
  images(): Promise<string[]>;
}

/** What a run may be told; `signal` is Ctrl-C. */
export interface BuildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Makes a site for a test. */
export function makeSite(ending: Ending, packages: Readonly<Record<string, PackageFiles>> = {}): Site {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-site-'));
  const repository = `luet-ts-test/${randomBytes(6).toString('hex')}`;
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const site: Site = {
    folder,
    tree: join(folder, 'tree'),
    out: join(folder, 'out'),
    repository,
    temporary,
    words: (more) => [
      'build',
      ...['--tree', 'tree', '--destination', 'out', '--image-repository', repository],
      ...['--network', 'none', ...(ENGINE === undefined ? [] : ['--engine', ENGINE])],
      ...more,
    ],
    build: (words, options = {}) => cli(site.words(words), { cwd: folder, ...options }),
    spawn: (words, env = {}, under = []) => {
      const own = [luetTs, ...site.words(words)];
      const [program = '', ...rest] = [...under, ...own];
      return watch(
        spawn(program, rest, {
          cwd: folder,
          env: { PATH: process.env.PATH, TMPDIR: temporary, HOME: folder, ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
    },
    write: (name, files) => writeTree(site.tree, { [name]: files }),
    images: () => withEngine(async (engine) => [...(await engine.list(repository)).keys()].sort()),
  };
  writeTree(site.tree, packages);
  ending.after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await withEngine(async (engine) => {
      for (const tag of [...(await engine.list(repository)).keys()].reverse())
        await engine.remove(`${repository}:${tag}`);
    });
  });
  return site;
}

async function withEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await testEngine();
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** A process with what it has written so far. */
export interface Running {
  readonly child: ChildProcess;
  /** Both outputs together. */
  output(): string;
  /** Resolves when the output matches; rejects where the process ends before that. */
  until(pattern: RegExp): Promise<void>;
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
}

function watch(child: ChildProcess): Running {
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const listener of listeners) listener();
    });
  const ended = once(child, 'close').then(
    ([code, signal]) => (code as number | null) ?? (signal as string | null) ?? '',
  );
  return {
    child,
    output: () => output,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(output)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void ended.then((code) => reject(new Error(`ended with ${code} before ${pattern}:\n${output}`)));
      }),
    ended,
  };
}

/** What a build wrote, by file name, for comparing two builds byte for byte. */
export function written(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name)).toString('latin1')]),
  );
}

/** One entry of an archive, with its content as text. */
export interface Packed {
  readonly entry: Entry;
  readonly text: string;
}

/** The entries of a package (`NAME-CATEGORY-VERSION`, or a name alone for category `t` and version 1), by path. */
export async function unpacked(
  folder: string,
  name: string,
  suffix = '.package.tar',
): Promise<Map<string, Packed>> {
  const file = join(folder, `${name.includes('-') ? name : `${name}-t-1`}${suffix}`);
  const entries = new Map<string, Packed>();
  for await (const { entry, content } of readTar(openArchive(file)))
    entries.set(entry.path, { entry, text: (await collect(content)).toString('utf8') });
  return entries;
}

/** The paths of a package that are no directories. */
export async function filesOf(folder: string, name: string, suffix?: string): Promise<string[]> {
  return [...(await unpacked(folder, name, suffix))]
    .filter(([, { entry }]) => entry.type !== 'directory')
    .map(([path]) => path);
}

/** What plain progress says was done: `run NAME` and `cut NAME`, in order. */
export function work({ stderr }: CliAnswer): string[] {
  return [...stderr.matchAll(/^t\/(\S+)-1: (built on|cut from) /gm)].map(
    ([, name, how]) => `${how === 'built on' ? 'run' : 'cut'} ${name}`,
  );
}

/** The API of the engine under test, to look at what our own code does not tell. */
export async function rawEngine(): Promise<Connection> {
  const endpoint = parseEndpoint(ENGINE ?? '/var/run/docker.sock', undefined);
  if (typeof endpoint === 'string') throw new Error(endpoint);
  return connect(endpoint);
}

/** The name of the run that a site's one process is now, by its temporary folder. */
export function runOf(site: Site): string {
  const [name, ...others] = readdirSync(join(site.temporary, `luet-ts-${process.getuid?.()}`));
  if (name === undefined || others.length > 0) throw new Error('not one run');
  return name;
}
