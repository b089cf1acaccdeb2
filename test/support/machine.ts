import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { conformanceBase } from '../../scripts/base-image.ts';
import { luetFormat } from '../../src/artifact/index.ts';
import {
  baseImageFinder,
  type CacheEvent,
  engineCache,
  RegistryCache,
  stackedCache,
} from '../../src/cache/index.ts';
import { type Engine, findEngine } from '../../src/engine/index.ts';
import type { BuildEvent } from '../../src/events/index.ts';
import { type BuildResult, execute } from '../../src/execute/index.ts';
import { Registry } from '../../src/image/index.ts';
import { engineSettings } from '../../src/library/index.ts';
import { planBuild } from '../../src/plan/index.ts';
import { type ResolvedPlan, resolvePlan } from '../../src/resolve/index.ts';
import { loadTrees } from '../../src/tree/index.ts';
import { loadBase } from './engines/setup.ts';

/** All registries, without credentials; pauses between retries are short. */
export const testRegistry = (): Registry =>
  new Registry({
    clock: {
      now: () => Date.now(),
      random: Math.random,
      sleep: (milliseconds, signal) => sleep(milliseconds / 20, undefined, signal ? { signal } : {}),
    },
  });

/** How a machine of the tests uses a registry. */
export interface MachineUse {
  readonly repository: string;
  readonly pullFrom?: readonly string[];
  readonly push?: boolean;
  /** Folder for layers that are compressed to be pushed. */
  readonly pushFolder?: string;
  readonly signal?: AbortSignal;
}

/** What a build on a machine came to. */
export interface MachineBuild {
  readonly result: BuildResult;
  readonly events: readonly BuildEvent[];
  readonly cacheEvents: readonly CacheEvent[];
  /** The packages whose commands ran. */
  readonly ran: readonly string[];
  /** A digest of each archive and metadata file, by its name. */
  readonly bytes: Readonly<Record<string, string>>;
}

/** A machine of its own, as far as builds see: a native engine's store, a destination, and a tree that others share. */
export class Machine {
  readonly folder: string;
  readonly #tree: string;

  /** `tree` is the folder that holds the tree `tree`. */
  constructor(folder: string, tree: string) {
    this.folder = folder;
    this.#tree = tree;
    mkdirSync(join(folder, 'out'), { recursive: true });
  }

  /** Works with the machine's engine, which holds the tests' base image. */
  async withEngine<T>(work: (engine: Engine, temporary: string) => Promise<T>): Promise<T> {
    const store = `native:${join(this.folder, 'store')}`;
    await loadBase(store, await conformanceBase());
    const temporary = mkdtempSync(join(this.folder, 'tmp-'));
    const { engine } = await findEngine({
      settings: engineSettings(process.env, '/nonexistent'),
      engine: store,
      runId: randomBytes(8).toString('hex'),
      token: () => randomBytes(16).toString('hex'),
      temporary,
      now: () => new Date(),
    });
    try {
      return await work(engine, temporary);
    } finally {
      await engine.close();
      rmSync(temporary, { recursive: true, force: true });
    }
  }

  /** The resolved plan of all packages of the tree. */
  async plan(engine: Engine): Promise<ResolvedPlan> {
    const tree = await loadTrees(['tree'], { cwd: this.#tree });
    return await resolvePlan(planBuild(tree, tree.packages), {
      find: (key) => tree.byKey(key),
      baseImage: baseImageFinder({ engine, signal: new AbortController().signal }),
    });
  }

  /** Builds all packages of the tree, with a registry as the shared cache. */
  build({
    repository,
    pullFrom = [],
    push = false,
    pushFolder,
    signal = new AbortController().signal,
  }: MachineUse) {
    return this.withEngine(async (engine, temporary): Promise<MachineBuild> => {
      const events: BuildEvent[] = [];
      const cacheEvents: CacheEvent[] = [];
      const plan = await this.plan(engine);
      const cache = new RegistryCache({
        engine,
        registry: testRegistry(),
        repository,
        pullFrom,
        push,
        bases: [],
        temporary: pushFolder ?? mkdtempSync(join(temporary, 'push-')),
        onEvent: (event) => cacheEvents.push(event),
        signal,
      });
      const result = await execute(plan, {
        engine,
        cache: stackedCache([engineCache(engine, repository), cache]),
        format: luetFormat('none'),
        destination: join(this.folder, 'out'),
        imageRepository: repository,
        keepImages: true,
        concurrency: 2,
        keepGoing: false,
        rebuild: false,
        noDependencies: false,
        logs: join(temporary, 'logs'),
        temporary,
        runId: randomBytes(6).toString('hex'),
        onEvent: (event) => events.push(event),
        signal,
        clock: () => performance.now(),
      });
      const ran = events.flatMap((event) => (event.type === 'ran' ? [event.package] : [])).sort();
      return { result, events, cacheEvents, ran, bytes: this.bytes() };
    });
  }

  /** A digest of each file of the destination. */
  bytes(): Record<string, string> {
    const out = join(this.folder, 'out');
    return Object.fromEntries(
      readdirSync(out)
        .filter((name) => /\.(?:tar|yaml)$/.test(name))
        .sort()
        .map((name) => [
          name,
          createHash('sha256')
            .update(readFileSync(join(out, name)))
            .digest('hex'),
        ]),
    );
  }

  /** Empties the destination. */
  forgetPackages(): void {
    rmSync(join(this.folder, 'out'), { recursive: true });
    mkdirSync(join(this.folder, 'out'));
  }

  /** Removes the machine's store and destination. */
  forgetAll(): void {
    rmSync(join(this.folder, 'store'), { recursive: true, force: true });
    this.forgetPackages();
  }
}
