import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Connection } from '../../src/engine/docker/connection.ts';
import { readProgress } from '../../src/engine/docker/progress.ts';
import { readTar, type SourceEntry, writeTar } from '../../src/tar/index.ts';
import { BASE } from './engine.ts';
import { collect, directory, file, sourceOf, type WholeEntry } from './stream.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The files of the tests' base image, less what the engine put into its container. */
export async function baseFiles(api: Connection): Promise<WholeEntry[]> {
  const { Id } = await api.json<{ Id: string }>('POST', '/containers/create', {
    body: { Image: BASE, Entrypoint: ['/bin/sh'] },
  });
  try {
    const found: WholeEntry[] = [];
    for await (const { entry, content } of readTar(await api.stream('GET', `/containers/${Id}/export`))) {
      if (
        /^(dev|proc|sys|\.dockerenv|run\/.*|etc\/(hosts|hostname|resolv\.conf|mtab))(\/|$)|^$/.test(
          entry.path,
        )
      )
        continue;
      found.push({ entry, content: await collect(content) });
    }
    return found;
  } finally {
    await api.json('DELETE', `/containers/${Id}`, { query: { force: '1' } });
  }
}

/** Loads an image of one layer into the engine, with any configuration (the OCI image specification's `config`). */
export async function loadImage(
  api: Connection,
  reference: string,
  files: readonly WholeEntry[],
  config: object,
): Promise<void> {
  const created = '2024-01-02T03:04:05Z';
  const layer = await collect(writeTar(sourceOf(files)));
  const description = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      created,
      config,
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
  const said = await api.stream('POST', '/images/load', {
    upload,
    headers: { 'Content-Type': 'application/x-tar' },
  });
  await readProgress(said);
}
