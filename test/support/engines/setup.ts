import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type BaseImage, makeBaseImage } from '../../../scripts/base-image.ts';
import { connect } from '../../../src/engine/docker/connection/connection.ts';
import { parseEndpoint, tlsOf } from '../../../src/engine/docker/connection/endpoint.ts';
import { readProgress } from '../../../src/engine/docker/connection/progress.ts';
import { findEngine, NoEngineError } from '../../../src/engine/index.ts';
import { engineSettings } from '../../../src/library/index.ts';
import { dataFolder, installedDocker, installedPodman } from './daemons.ts';
import { has, install } from './install.ts';
import { loadIntoStore, nativeFolder } from './native.ts';
import { type HeldEngine, holdEngine } from './own.ts';

/** An engine that scripts may use, and what people are told of it. */
export interface ScriptEngine extends HeldEngine {
  readonly description: string;
  /** What stays on the machine because of it, a sentence each. */
  readonly stays: readonly string[];
}

/**
 * The engine that answers already, by the same search as the command's, or by that for one kind of engine; undefined where none
 * does.
 */
async function answering(kind?: 'docker' | 'podman'): Promise<ScriptEngine | undefined> {
  const temporary = mkdtempSync(join(tmpdir(), 'luet-ts-setup-'));
  try {
    const { engine, attempts } = await findEngine({
      settings: engineSettings(process.env, homedir()),
      engine: kind,
      temporary,
      runId: randomBytes(8).toString('hex'),
      token: () => randomBytes(16).toString('hex'),
      now: () => new Date(),
    });
    const { name, version, address } = await engine.report();
    await engine.close();
    // An engine that ends with the search is none that answers.
    if (attempts.at(-1)?.strategy === 'a podman service of our own') return undefined;
    return { url: address, description: `${name} ${version} at ${address}`, stays: [], release: () => {} };
  } catch (error) {
    if (error instanceof NoEngineError && !process.env.DOCKER_HOST) return undefined;
    throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * An engine that answers, or one of our own for as long as it is held: podman where it is installed, else Docker, which is
 * installed where it is missing and may be. Throws with what to install where none can be had.
 */
export async function setUpEngine(): Promise<ScriptEngine> {
  const found = (await answering('docker')) ?? (await answering('podman'));
  if (found !== undefined) return found;
  const usePodman = has('podman') && !has('dockerd');
  if (!usePodman && process.platform !== 'linux') {
    throw new Error('No container engine answers: start Docker or podman, or set DOCKER_HOST to an engine.');
  }
  if (!usePodman) install('dockerd', ['docker.io', 'iproute2']);
  if (!usePodman && process.getuid?.() !== 0) {
    throw new Error(
      'No container engine answers, and starting one takes root: start Docker, or install podman.',
    );
  }
  const daemon = usePodman ? installedPodman() : installedDocker();
  const held = await holdEngine(daemon);
  const folder = usePodman ? 'its own folders' : dataFolder('docker');
  return {
    ...held,
    description: `${daemon.name} of our own at ${held.url}, stopped at the end`,
    stays: [`the engine's images in ${folder}`],
  };
}

/** Programs that make the native engine's sandboxes. */
const sandboxes = ['bwrap', 'runc', 'crun'];

/** An engine that answers, or the native one, for which bubblewrap is installed where nothing of its kind is there; else one as `setUpEngine` has it. */
export async function setUpQuickly(): Promise<ScriptEngine> {
  const found = await answering();
  // Where nothing answers, what is found is the native engine, if sandboxes can be had already.
  if (found !== undefined && !found.url.startsWith('native:')) return found;
  if (process.platform !== 'linux') return await setUpEngine();
  if (!sandboxes.some(has)) install('bwrap', ['bubblewrap']);
  return {
    url: 'native',
    description: 'native',
    stays: [`its store in ${nativeFolder('native')}`],
    release: () => {},
  };
}

/**
 * Engines for tests: the native one in a store that goes at the end, and those that answer. Where none answers, one of our own
 * beside it if `own` says so; and one in any case where this is no machine for the native engine.
 */
export async function setUpEngines(own: boolean): Promise<readonly ScriptEngine[]> {
  const engines: ScriptEngine[] = [];
  if (process.platform === 'linux') {
    if (!has('bwrap') && process.getuid?.() === 0) install('bwrap', ['bubblewrap']);
    if (sandboxes.some(has)) engines.push(testStore());
  }
  for (const kind of ['docker', 'podman'] as const) {
    const found = await answering(kind);
    if (found !== undefined && engines.every(({ url }) => url !== found.url)) engines.push(found);
  }
  const isAlone = engines.every(({ url }) => url.startsWith('native:'));
  if (isAlone && (own || engines.length === 0)) engines.push(await setUpEngine());
  return engines;
}

function testStore(): ScriptEngine {
  const parent = dataFolder('test-stores');
  mkdirSync(parent, { recursive: true, mode: 0o711 });
  const folder = mkdtempSync(join(parent, 'store-'));
  return {
    url: `native:${folder}`,
    description: 'native',
    stays: [],
    release: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Loads a base image into an engine, unless it holds that very image already. */
export async function loadBase(url: string, image: BaseImage): Promise<void> {
  const folder = nativeFolder(url);
  if (folder !== undefined) return await loadIntoStore(folder, image);
  const endpoint = parseEndpoint(url, tlsOf(engineSettings(process.env, homedir())));
  if (typeof endpoint === 'string') throw new Error(endpoint);
  const connection = await connect(endpoint);
  try {
    const { bytes, diffId } = await makeBaseImage(image);
    type Inspected = { RootFS?: { Layers?: string[] }; Created?: string } | undefined;
    const there = await connection
      .json<Inspected>('GET', `/images/${image.reference}/json`)
      .catch(() => undefined);
    const same =
      there?.RootFS?.Layers?.join() === diffId && Date.parse(there.Created ?? '') === image.created * 1000;
    if (same) return;
    const headers = { 'content-type': 'application/x-tar' };
    const upload = Readable.from([bytes]);
    await readProgress(await connection.stream('POST', '/images/load', { upload, headers }));
  } finally {
    connection.close();
  }
}
