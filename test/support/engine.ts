import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChangeSource, type Engine, findEngine } from '../../src/engine/index.ts';
import { engineSettings } from '../../src/library/index.ts';
import { nativeFolder } from './engines/native.ts';

/** The image that the tests start from; whoever starts the tests has loaded it into the engine. */
export const BASE = 'conformance/base:1';

/** The address of the engine that the tests are to use; whichever answers where none is named. */
export const ENGINE: string | undefined = wholeAddress(process.env.LUET_TS_TEST_ENGINE || undefined);

/** Tests have a home of their own; a store in the user's is named by its folder. */
function wholeAddress(address: string | undefined): string | undefined {
  const folder = address === undefined ? undefined : nativeFolder(address);
  return folder === undefined ? address : `${address?.match(/^native(\+\w+)?/)?.[0]}:${folder}`;
}

/** Whether the tests run on the native engine. */
export const isNative: boolean = ENGINE?.startsWith('native') ?? false;

/** Where a native engine's changes come from; it has one source, whatever is asked for. */
export const NATIVE_SOURCE: ChangeSource = /^native\+(?:copy|bare)/.test(ENGINE ?? '') ? 'listing' : 'upper';

/** An engine for one test file, with a run id of its own. */
export async function testEngine(
  source?: ChangeSource,
  temporary = mkdtempSync(join(tmpdir(), 'luet-ts-test-')),
): Promise<Engine> {
  const { engine } = await findEngine({
    settings: engineSettings(process.env, '/nonexistent'),
    engine: ENGINE,
    runId: randomBytes(8).toString('hex'),
    token: () => randomBytes(16).toString('hex'),
    temporary,
    now: () => new Date(),
    source,
  });
  return engine;
}

/** The environment that commands need at least. */
export const environment: ReadonlyMap<string, string> = new Map([
  ['PATH', '/usr/sbin:/usr/bin:/sbin:/bin'],
  ['HOME', '/root'],
]);
