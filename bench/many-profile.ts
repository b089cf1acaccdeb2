import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { join } from 'node:path';
import { luetFormat } from '../src/artifact/index.ts';
import { type Engine, overriding, type Workspace, type WorkspaceOptions } from '../src/engine/index.ts';
import { build } from '../src/execute/index.ts';
import { planBuild } from '../src/plan/index.ts';
import type { EntrySource } from '../src/tar/index.ts';
import { loadTrees } from '../src/tree/index.ts';
import { twenty, writeTree } from './many-work.ts';
import { head, median, row, time } from './table.ts';

/** One thing that happened for a package, in milliseconds from the beginning of the build. */
interface Span {
  readonly package: string;
  readonly kind: 'call' | 'ours';
  readonly what: string;
  readonly from: number;
  until: number;
}

const spans: Span[] = [];
const current = new AsyncLocalStorage<string>();

function begin(kind: Span['kind'], what: string, owner = current.getStore() ?? ''): () => void {
  const span: Span = { package: owner, kind, what, from: performance.now(), until: Number.NaN };
  spans.push(span);
  return () => {
    span.until = performance.now();
  };
}

/** A request's path with the ids of containers and images left out. */
const general = (method: string, path: string): string =>
  `${method} ${path
    .replace(/\?.*$/, '')
    .replace(/^\/containers\/[0-9a-f]{64}/, '/containers/ID')
    .replace(/^\/images\/.+\/json$/, '/images/NAME/json')}`;

/** Takes down every request that this process sends, until what it returns is called. */
function watchRequests(): () => void {
  const open = new Map<ClientRequest, () => void>();
  const started = (message: unknown): void => {
    const { request } = message as { request: ClientRequest };
    const end = begin('call', general(request.method, request.path));
    open.set(request, end);
    request.prependOnceListener('upgrade', end);
  };
  const finished = (message: unknown): void => {
    const { request } = message as { request: ClientRequest };
    const end = open.get(request);
    open.delete(request);
    end?.();
  };
  subscribe('http.client.request.start', started);
  subscribe('http.client.response.finish', finished);
  return () => {
    unsubscribe('http.client.request.start', started);
    unsubscribe('http.client.response.finish', finished);
  };
}

/** An engine that says whose its calls are. */
function watched(engine: Engine): Engine {
  const workspaceOf = (inner: Workspace, owner: string): Workspace => {
    const within = <T>(what: string, work: () => Promise<T>): Promise<T> =>
      current.run(owner, async () => {
        const end = begin('ours', what);
        try {
          return await work();
        } finally {
          end();
        }
      });
    return overriding(inner, {
      upload: (entries: EntrySource) => within('upload', () => inner.upload(entries)),
      run: (...given: Parameters<Workspace['run']>) => within('run', () => inner.run(...given)),
      mark: () => within('mark', () => inner.mark()),
      changes: () => within('changes', () => inner.changes()),
      commit: (...given: Parameters<Workspace['commit']>) => within('commit', () => inner.commit(...given)),
      close: () => within('close', () => inner.close()),
    });
  };
  return overriding(engine, {
    open: (options: WorkspaceOptions): Promise<Workspace> => {
      const owner = options.environment.get('PACKAGE_NAME') ?? '';
      return current.run(owner, async () => {
        const end = begin('ours', 'open');
        try {
          return workspaceOf(await engine.open(options), owner);
        } finally {
          end();
        }
      });
    },
  });
}

/**
 * Builds the twenty packages in this process, and prints the life of one in the middle of the chain, call by call, and what
 * each kind of call took over all of them.
 */
export async function profile(engine: Engine, folder: string, concurrency: number): Promise<void> {
  const at = mkdtempSync(join(folder, 'profile-'));
  const repository = `luet-ts-bench/profile-${randomBytes(4).toString('hex')}`;
  const once = async (): Promise<void> => {
    spans.length = 0;
    const root = mkdtempSync(join(at, 'tree-'));
    writeTree(root, twenty(randomBytes(6).toString('hex')));
    const tree = await loadTrees([root], { cwd: at });
    const plan = planBuild(tree, tree.packages);
    const end = begin('ours', 'the whole build', '');
    const result = await build(plan, {
      engine: watched(engine),
      find: (key) => tree.byKey(key),
      destination: mkdtempSync(join(at, 'out-')),
      format: luetFormat('none'),
      imageRepository: repository,
      keepImages: true,
      concurrency,
      keepGoing: false,
      rebuild: false,
      noDependencies: false,
      logs: join(at, 'logs'),
      temporary: at,
      runId: randomBytes(8).toString('hex'),
      onEvent: (event) => {
        if (event.type === 'written') begin('ours', 'written', event.package.replace(/^bench\/|-1$/g, ''))();
        if (event.type === 'ran') begin('ours', 'ran', event.package.replace(/^bench\/|-1$/g, ''))();
        if (event.type === 'started') begin('ours', 'started', event.package.replace(/^bench\/|-1$/g, ''))();
      },
      signal: new AbortController().signal,
      clock: () => performance.now(),
    });
    end();
    if (result.failed.length > 0) throw new Error(JSON.stringify(result.failed));
  };
  const stop = watchRequests();
  try {
    // The first one warms up.
    await once();
    await once();
  } finally {
    stop();
    const tags = await engine.list(repository);
    for (const tag of tags.keys()) await engine.remove(`${repository}:${tag}`);
  }
  const whole = spans.find(({ what }) => what === 'the whole build');
  head('the life of one package in the middle of the chain', ['from', 'took']);
  const life = spans.filter((span) => span.package === 'chain4');
  const start = life[0]?.from ?? 0;
  for (const { kind, what, from, until } of life)
    row(
      `${kind === 'call' ? '    ' : ''}${what}`,
      time(from - start),
      Number.isNaN(until) ? '' : `${(until - from).toFixed(1)} ms`,
    );
  head(`all twenty, ${concurrency} at once: ${time((whole?.until ?? 0) - (whole?.from ?? 0))}`, [
    'count',
    'median',
    'sum',
  ]);
  for (const kind of ['call', 'ours'] as const)
    for (const [what, of] of Map.groupBy(
      spans.filter((span) => span.kind === kind && !Number.isNaN(span.until)),
      (span) => span.what,
    )) {
      const took = of.map(({ from, until }) => until - from);
      if (what !== 'the whole build' && took.some((one) => one > 0.5))
        row(
          `${kind === 'call' ? '    ' : ''}${what}`,
          String(of.length),
          `${median(took).toFixed(1)} ms`,
          time(took.reduce((a, b) => a + b, 0)),
        );
    }
}
