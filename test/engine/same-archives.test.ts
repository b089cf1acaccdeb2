import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Connection } from '../../src/engine/docker/connection/connection.ts';
import { type Engine, EngineError } from '../../src/engine/index.ts';
import { type Image, ImageError, openPath, parseLocation, removeFolder } from '../../src/image/index.ts';
import { type ArchiveCase, archiveOf, archiveShape } from '../support/archive-cases.ts';
import { variants } from '../support/archive-variants.ts';
import { isNative, testEngine } from '../support/engine.ts';
import { extractedLines, linesOf } from '../support/image-lines.ts';
import { rawEngine } from '../support/site.ts';

/** What an image is, as far as builds see it; a sentence where it is refused. */
type Outcome = string | { readonly config: object; readonly lines: readonly string[] };

/** An image's configuration where engines and archives write it alike. */
function configOf(config: object | null | undefined, diffIds: readonly string[]): object {
  const { Env, Cmd, Labels } = (config ?? {}) as Record<string, unknown>;
  return { diffIds, Env: Env ?? [], Cmd: Cmd ?? [], Labels: Labels ?? {} };
}

/** What is taken here although this engine refuses it: another of them takes it. */
const takenHere: Readonly<Record<'20.10' | '29' | 'podman', readonly string[]>> = {
  '20.10': ['too much history'],
  '29': [
    'a file, then a link',
    'a layer is a hard link',
    'a layer is a link from the root',
    'a layer is a link out of the root',
    'a layer is a link to a link',
    'a link, then a file',
    'a path through a link',
    'entries from the root',
    'entries through a link',
    'paths from the root',
    'paths that lead up and down',
    'paths with dots in front',
  ],
  podman: [],
};

/** What is refused here, although engines take it: they read no further than the list, and a file that is broken says nothing. */
const refusedHere = ['more behind the list'];

/** What we make of an image of an archive. */
async function ours(path: string, name: string): Promise<Outcome> {
  const place = parseLocation(`docker-archive:${path}${name === '' ? '' : `:${name}`}`);
  if (typeof place === 'string' || place.kind === 'name') return String(place);
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-archive-'));
  try {
    const { image } = await openPath(place);
    const { config, rootfs } = await image.configuration();
    return {
      config: configOf(config, rootfs.diff_ids),
      lines: await extractedLines(await streams(image), folder),
    };
  } catch (error) {
    if (error instanceof ImageError) return error.message;
    throw error;
  } finally {
    removeFolder(folder);
  }
}

const streams = async (image: Image): Promise<AsyncIterable<Uint8Array>[]> =>
  (await image.layers()).map((layer) => layer.uncompressed());

describe('archives of docker save mean what they mean in this engine', {
  skip: isNative ? 'native loads none by itself' : process.getuid?.() !== 0 && 'needs root',
}, () => {
  let engine: Engine;
  let api: Connection;
  let kind: keyof typeof takenHere;
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-archives-'));
  before(async () => {
    engine = await testEngine();
    api = await rawEngine();
    const { name, version } = await engine.report();
    kind = name === 'Podman' ? 'podman' : version.startsWith('20.') ? '20.10' : '29';
  });
  after(async () => {
    api.close();
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Loads an archive; the names or ids of what was loaded, and what went wrong in the end. */
  async function load(
    bytes: Buffer,
  ): Promise<{ readonly loaded: readonly string[]; readonly problem?: string }> {
    let said = '';
    try {
      const answer = await api.stream('POST', '/images/load', {
        upload: Readable.from([bytes]),
        headers: { 'content-type': 'application/x-tar' },
      });
      for await (const chunk of answer) said += Buffer.from(chunk as Uint8Array).toString();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return { loaded: [], problem: error.message };
    }
    const lines = said
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as { stream?: string; error?: string });
    const loaded = lines.flatMap(({ stream }) =>
      [.../Loaded image(?:\(s\)|s)?(?: ID)?: (.*)/g[Symbol.matchAll](stream ?? '')].flatMap((match) =>
        (match[1] ?? '').split(/, ?/),
      ),
    );
    const problem = lines.find(({ error }) => error !== undefined)?.error;
    return {
      loaded: loaded.map((name) => name.trim()).filter((name) => name !== ''),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  async function theirs(name: string): Promise<Outcome> {
    const found = await api.json<{ Config?: object; RootFS?: { Layers?: string[] } }>(
      'GET',
      `/images/${name}/json`,
    );
    const reader = await engine.openForReading(name);
    try {
      return { config: configOf(found.Config, found.RootFS?.Layers ?? []), lines: await linesOf(reader) };
    } finally {
      await reader.close();
    }
  }

  /** What differs in an archive, a sentence each. */
  async function differences(one: ArchiveCase): Promise<string[]> {
    const path = join(folder, 'archive.tar');
    writeFileSync(path, one.bytes);
    const { loaded, problem } = await load(one.bytes);
    try {
      // An archive of one image without a name is asked for that.
      const all = one.names.length === 0 ? [''] : one.names;
      // Engines that refuse one image look at none behind it.
      const names = problem === undefined ? all : all.filter((name) => !/-1:\d$/.test(name));
      const found: string[] = [];
      for (const name of names) {
        const at = name === '' ? loaded[0] : loaded.find((other) => other.endsWith(name));
        const there =
          at === undefined
            ? (problem ?? 'not loaded')
            : await theirs(at.replace(/^sha256:/, '')).catch((error: Error) => error.message);
        const here = await ours(path, name);
        if (typeof here === 'string' && typeof there === 'string') continue;
        if (typeof there === 'string' && one.special.some((what) => takenHere[kind].includes(what))) continue;
        if (typeof here === 'string' && one.special.some((what) => refusedHere.includes(what))) continue;
        try {
          assert.deepEqual(here, there);
        } catch (error) {
          found.push(
            `${name}: here ${typeof here === 'string' ? here : 'taken'}, there ${typeof there === 'string' ? there : 'taken'}${typeof here === typeof there ? (error as Error).message : ''}`,
          );
        }
      }
      return found;
    } finally {
      for (const name of loaded) await engine.remove(name.replace(/^sha256:/, '')).catch(() => {});
    }
  }

  test('generated archives', async (t) => {
    if (kind === 'podman') return t.skip('podman is not compared yet');
    const count = Number(process.env.LUET_TS_TEST_ARCHIVES || 12);
    const seed = Number(process.env.LUET_TS_TEST_SEED || Date.now() % 1_000_000);
    t.diagnostic(`LUET_TS_TEST_SEED=${seed}`);
    const salt = randomBytes(4).toString('hex');
    const different: string[] = [];
    const kinds = Object.keys(variants);
    for (const [i, shape] of fc.sample(archiveShape, { numRuns: count, seed }).entries()) {
      // Of many, each kind has its turn.
      const special = count < kinds.length ? shape.special : kinds[i % (kinds.length + 5)];
      // Docker 20.10 reads no zstd.
      const one = archiveOf({ ...shape, special }, `${salt}${i}`, kind !== '20.10');
      for (const what of await differences(one))
        different.push(`archive ${i} (${one.special.join(', ') || 'usual'}): ${what}`);
    }
    assert.equal(different.length, 0, `LUET_TS_TEST_SEED=${seed}:\n${different.join('\n')}`);
  });
});
