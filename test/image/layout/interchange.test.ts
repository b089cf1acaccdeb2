import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import {
  dockerArchive,
  type ImageSource,
  ociArchive,
  ociArchiveSink,
  rootfsImage,
  rootfsSink,
} from '../../../src/image/index.ts';
import { rawTar } from '../../support/raw-tar.ts';
import { run } from '../../support/tool.ts';

/** Programs that load and save images, as words before `load`; those that do not answer are skipped. */
const programs: readonly (readonly [name: string, ...words: [string, ...string[]]])[] = [
  ['docker', 'docker'],
  ['Docker 29', 'docker', '-H', 'unix:///tmp/docker-29/docker.sock'],
  ['podman', 'podman'],
];

function unanswered([program, ...words]: readonly [string, ...string[]]): string | false {
  const { status } = spawnSync(program, [...words, 'info'], { timeout: 20_000, stdio: 'ignore' });
  return status === 0 ? false : `${[program, ...words].join(' ')} does not answer`;
}

for (const [title, ...words] of programs)
  test(`${title} loads what we write, and we read what it saves`, { skip: unanswered(words) }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'luet-ts-interchange-'));
    const name = `luet-ts-test/interchange-${process.pid}:1`;
    const call = (...more: string[]) => run([...words, ...more]);
    try {
      writeFileSync(
        join(folder, 'root.tar'),
        rawTar([
          { name: 'etc', flag: '5', mode: 0o755 },
          { name: 'etc/name', flag: '0', content: title, uid: 0 },
          { name: 'etc/other', flag: '1', link: 'etc/name' },
          { name: 'link', flag: '2', link: 'etc/name' },
        ]),
      );
      const image = await rootfsImage(join(folder, 'root.tar'), { env: ['A=b'], compression: 'gzip' });
      const ids = (await image.configuration()).rootfs.diff_ids;
      const archives: [string, () => Promise<unknown>, ImageSource, string[]][] = [
        [
          'docker.tar',
          () => dockerArchive(join(folder, 'docker.tar')).write(name, image),
          dockerArchive(join(folder, 'docker.tar.back')),
          [],
        ],
      ];
      if (title === 'podman')
        archives.push([
          'oci.tar',
          () => ociArchiveSink(join(folder, 'oci.tar')).write(name, image),
          ociArchive(join(folder, 'oci.tar.back')),
          ['--format', 'oci-archive'],
        ]);
      for (const [file, write, source, how] of archives) {
        await write();
        await call('load', '-i', join(folder, file));
        await call('save', ...how, '-o', join(folder, `${file}.back`), name);
        const back = (await source.image(how.length === 0 ? name : '')) ?? (await source.image(''));
        assert.deepEqual((await back?.configuration())?.rootfs.diff_ids, ids);
        assert.ok((await back?.configuration())?.config?.Env?.includes('A=b'));
        const out = join(folder, `${file}.out`);
        if (back !== undefined) await rootfsSink(out, { owners: 'none' }).write('', back);
        assert.deepEqual(readdirSync(join(out, 'etc')).sort(), ['name', 'other']);
        assert.equal(readFileSync(join(out, 'etc/name'), 'utf8'), title);
        await call('rmi', '-f', name);
      }
    } finally {
      await call('rmi', '-f', name).catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    }
  });
