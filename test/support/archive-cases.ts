import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type DraftArchive, variants } from './archive-variants.ts';
import { type RawEntry, rawTar } from './raw-tar.ts';

type Json = Record<string, unknown>;

/** A generated archive. */
export interface ArchiveCase {
  /** The archive's bytes. */
  readonly bytes: Buffer;
  /** By what its images are asked for; none where the archive names none. */
  readonly names: readonly string[];
  /** What is special about it: names of `variants`. */
  readonly special: readonly string[];
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const file = (name: string, content: string): RawEntry => ({ name, flag: '0', content });
const stored = fc.constantFrom('plain', 'plain', 'gzip', 'zstd');
const image = fc.record({
  layers: fc.array(fc.record({ stored, repeats: fc.boolean() }), { minLength: 1, maxLength: 3 }),
  tags: fc.constantFrom(1, 1, 2),
});

/** What generates archives. */
export const archiveShape = fc.record({
  images: fc.oneof(
    { weight: 4, arbitrary: fc.tuple(image) },
    { weight: 1, arbitrary: fc.tuple(image, image) },
  ),
  form: fc.constantFrom('folders', 'blobs'),
  manifestFirst: fc.boolean(),
  special: fc.option(fc.constantFrom(...Object.keys(variants)), { freq: 8, nil: undefined }),
});

type Shape = typeof archiveShape extends fc.Arbitrary<infer T> ? T : never;

const pack = {
  plain: (tar: Buffer) => tar,
  gzip: (tar: Buffer) => gzipSync(tar),
  zstd: (tar: Buffer) => zstdCompressSync(tar),
};

/**
 * The archive of a shape. `salt` makes its layers unlike all others: engines do not read a layer again that they have. `mayZstd` is
 * whether layers may be compressed with zstd.
 */
export function archiveOf(shape: Shape, salt: string, mayZstd: boolean): ArchiveCase {
  const draft: DraftArchive = { manifest: [], configurations: new Map(), entries: [] };
  const names: string[] = [];
  for (const [i, { layers, tags }] of shape.images.entries()) {
    const paths: string[] = [];
    const ids: string[] = [];
    for (const [j, { stored: how, repeats }] of layers.entries()) {
      if (repeats && paths.length > 0) {
        paths.push(paths[0] ?? '');
        ids.push(ids[0] ?? '');
        continue;
      }
      const tar = rawTar([
        file(`f${j}`, `${salt}-${i}-${j}`.repeat(100)),
        { name: `link${j}`, flag: '2', link: `f${j}` },
      ]);
      const bytes = pack[how === 'zstd' && !mayZstd ? 'gzip' : (how as keyof typeof pack)](tar);
      const path = shape.form === 'folders' ? `${sha(bytes)}/layer.tar` : `blobs/sha256/${sha(bytes)}`;
      draft.entries.push(file(path, latin1(bytes)));
      paths.push(path);
      ids.push(`sha256:${sha(tar)}`);
    }
    const configuration = {
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created: '2020-01-02T03:04:05Z',
      config: { Env: ['A=b', `SALT=${salt}`], Cmd: ['/x'], Labels: { l: salt } },
      rootfs: { type: 'layers', diff_ids: ids },
      history: ids.map(() => ({ created: '2020-01-02T03:04:05Z' })),
    };
    const at = `config-${i}.json`;
    const own = Array.from({ length: tags }, (_, k) => `luet-ts-test/archive-${salt}-${i}:${k}`);
    (draft.manifest as Json[]).push({ Config: at, RepoTags: own, Layers: paths });
    draft.configurations.set(at, configuration);
    names.push(...own);
  }
  if (shape.special !== undefined) variants[shape.special]?.(draft);
  const { manifest } = draft;
  const first = Array.isArray(manifest) ? (manifest[0]?.RepoTags as string[] | null | undefined) : undefined;
  const others = [...draft.configurations].map(([path, content]) => file(path, JSON.stringify(content)));
  const text = typeof manifest === 'string' || manifest === undefined ? manifest : JSON.stringify(manifest);
  const said = text === undefined ? [] : [file('manifest.json', Buffer.from(text).toString('latin1'))];
  const entries = shape.manifestFirst
    ? [...said, ...others, ...draft.entries]
    : [...draft.entries, ...others, ...said];
  const nameless = Array.isArray(manifest) && (first ?? []).length === 0;
  return {
    bytes: rawTar(entries),
    names: nameless ? names.slice(shape.images[0]?.tags) : names,
    special: [
      ...(shape.special === undefined ? [] : [shape.special]),
      ...(shape.images.length > 1 ? ['several images'] : []),
    ],
  };
}
