import { createHash } from 'node:crypto';
import { fromText, type SourceEntry, writeTar } from '../../src/tar/index.ts';

/** One path of a base image. Owned by root, with the image's time. */
export type BaseFile =
  | { readonly type: 'directory'; readonly mode?: number }
  | { readonly type: 'file'; readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly type: 'symlink'; readonly to: string };

/** An image of one layer. */
export interface BaseImage {
  /** Name and tag that engines know it by. */
  readonly reference: string;
  /** Seconds since 1970: the time of every path. */
  readonly fileTime: number;
  /** Seconds since 1970: when the image says it was made. */
  readonly created: number;
  /** As in images' configurations: `amd64`, `arm64`. */
  readonly architecture: string;
  /** Paths without a leading `/`; folders on the way to them must be here too. */
  readonly files: Readonly<Record<string, BaseFile>>;
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly command: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** What `docker load` reads, and the digest by which engines know its content. */
export interface BaseArchive {
  readonly bytes: Buffer;
  /** The layer's digest, `sha256:…`, as engines show it in the image's root file system. */
  readonly diffId: string;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content;

async function tarOf(entries: Iterable<SourceEntry>): Promise<Buffer> {
  const source = async function* (): AsyncGenerator<SourceEntry> {
    yield* entries;
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(source())) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function toEntry(path: string, file: BaseFile, mtime: number): SourceEntry {
  const common = { path: fromText(path), uid: 0, gid: 0, size: 0, mtime };
  if (file.type === 'symlink')
    return { entry: { ...common, type: 'symlink', mode: 0o777, link: fromText(file.to) } };
  if (file.type === 'directory') return { entry: { ...common, type: 'directory', mode: file.mode ?? 0o755 } };
  const bytes = bytesOf(file.content);
  return {
    entry: { ...common, type: 'file', mode: file.mode ?? 0o644, size: bytes.length },
    content: async function* () {
      yield bytes;
    },
  };
}

/**
 * Makes the archive of an image that every engine loads: the same bytes for the same description, so the image
 * has the same layers and creation time on every engine.
 */
export async function makeBaseImage(image: BaseImage): Promise<BaseArchive> {
  const compare = (a: string, b: string): number => (a < b ? -1 : 1);
  const paths = Object.entries(image.files).sort(([a], [b]) => compare(a, b));
  const layer = await tarOf(paths.map(([path, file]) => toEntry(path, file, image.fileTime)));
  const diffId = `sha256:${sha256(layer)}`;
  const created = new Date(image.created * 1000).toISOString().replace('.000Z', 'Z');
  const config = JSON.stringify({
    architecture: image.architecture,
    os: 'linux',
    created,
    config: { Env: image.env, Cmd: image.command, Labels: image.labels ?? {} },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, created_by: 'scripts/base-image.ts' }],
  });
  const configName = `${sha256(Buffer.from(config))}.json`;
  const manifest = JSON.stringify([
    { Config: configName, RepoTags: [image.reference], Layers: ['layer.tar'] },
  ]);
  const bytes = await tarOf(
    [
      ['layer.tar', layer],
      [configName, config],
      ['manifest.json', manifest],
    ].map(([name, content]) =>
      toEntry(String(name), { type: 'file', content: content ?? '' }, image.created),
    ),
  );
  return { bytes, diffId };
}
