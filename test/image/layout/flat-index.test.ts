import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { digestOf, ociArchive, ociLayout, type Platform } from '../../../src/image/index.ts';
import { cli } from '../../support/cli.ts';
import { run, without } from '../../support/tool.ts';

const NAME = 'org.opencontainers.image.ref.name';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

interface Listed {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A layout that is written blob by blob. */
class Layout {
  readonly folder = mkdtempSync(join(tmpdir(), 'luet-ts-flat-'));

  constructor() {
    mkdirSync(join(this.folder, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(this.folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  }

  #blob(mediaType: string, value: object): Listed {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOf(bytes);
    writeFileSync(join(this.folder, 'blobs/sha256', digest.slice(7)), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** An image without layers; `architecture` tells it from others. */
  image(architecture: string, more: Partial<Listed> = {}): Listed {
    const config = this.#blob('application/vnd.oci.image.config.v1+json', {
      architecture,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [] },
    });
    const manifest = this.#blob(MANIFEST, { schemaVersion: 2, config, layers: [] });
    return { ...manifest, ...more };
  }

  /** What BuildKit writes beside an image. */
  attestation(of: Listed, platform?: Platform): Listed {
    const config = this.#blob('application/vnd.oci.image.config.v1+json', {
      architecture: 'unknown',
      os: 'unknown',
      rootfs: { type: 'layers', diff_ids: [] },
    });
    const manifest = this.#blob(MANIFEST, { schemaVersion: 2, config, layers: [], of: of.digest });
    return {
      ...manifest,
      ...(platform && { platform }),
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': of.digest,
      },
    };
  }

  nested(...manifests: readonly Listed[]): Listed {
    return this.#blob(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests });
  }

  /** The architecture of the image that is found under a name. */
  async find(
    manifests: readonly Listed[],
    name = '',
    platform: Platform = { os: 'linux', architecture: 'amd64' },
  ): Promise<string | undefined> {
    writeFileSync(join(this.folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    const image = await ociLayout(this.folder).image(name, { platform });
    return (await image?.configuration())?.architecture;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

const amd64 = { platform: { os: 'linux', architecture: 'amd64' } };
const arm64 = { platform: { os: 'linux', architecture: 'arm64' } };
const unknown = { os: 'unknown', architecture: 'unknown' };

test('attestations are no images, wherever they are listed', async () => {
  const layout = new Layout();
  try {
    for (const platform of [undefined, unknown])
      for (const more of [{}, amd64]) {
        const image = layout.image('amd64', more);
        const beside = layout.attestation(image, platform);
        assert.equal(await layout.find([image, beside]), 'amd64');
        assert.equal(await layout.find([beside, image]), 'amd64');
        assert.equal(await layout.find([layout.nested(beside, image)]), 'amd64');
        // An index within another, and what is told of that.
        assert.equal(await layout.find([layout.nested(layout.nested(image), beside), beside]), 'amd64');
        const named = { ...image, annotations: { [NAME]: '1' } };
        assert.equal(
          await layout.find([{ ...beside, annotations: { ...beside.annotations, [NAME]: '1' } }, named], '1'),
          'amd64',
        );
      }
    assert.equal(await layout.find([layout.attestation(layout.image('amd64'))]), undefined);
  } finally {
    layout.remove();
  }
});

test('images that differ in platform alone are one', async () => {
  const layout = new Layout();
  try {
    const both = [layout.image('arm64', arm64), layout.image('amd64', amd64)];
    assert.equal(await layout.find(both), 'amd64');
    assert.equal(await layout.find(both, '', arm64.platform), 'arm64');
    const named = both.map((one) => ({ ...one, annotations: { [NAME]: '1' } }));
    assert.equal(await layout.find(named), 'amd64');
    assert.equal(await layout.find(named, '1', arm64.platform), 'arm64');
    const other = { ...layout.image('riscv64', amd64), annotations: { [NAME]: '2' } };
    assert.equal(await layout.find([...named, other], '1'), 'amd64');
    await assert.rejects(layout.find(both, '', { os: 'linux', architecture: 's390x' }), {
      message: `${layout.folder} has no image for linux/s390x; available: linux/arm64, linux/amd64`,
    });
    await assert.rejects(layout.find([...named, other]), {
      message: `${layout.folder} has 2 images; select one by its name: 1, 2`,
    });
    // Without platforms nothing tells which is meant.
    await assert.rejects(layout.find([layout.image('amd64'), layout.image('arm64')]), /has 2 images/);
    await assert.rejects(layout.find([layout.image('amd64', amd64), layout.image('arm64')]), /has 2 images/);
  } finally {
    layout.remove();
  }
});

test('a layout with an attestation, as a command reads it, and in an archive', {
  skip: without('tar'),
}, async () => {
  const layout = new Layout();
  try {
    const image = layout.image(process.arch === 'arm64' ? 'arm64' : 'amd64');
    await layout.find([image, layout.attestation(image, unknown)]);
    const { code, stdout, stderr } = await cli(['image', 'inspect', `oci:${layout.folder}`, '-o', 'json']);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { digest: string }).digest, image.digest);
    const archive = `${layout.folder}.tar`;
    try {
      await run(['tar', '-cf', archive, '-C', layout.folder, '.']);
      const found = await ociArchive(archive).image('');
      assert.equal((await found?.descriptor())?.digest, image.digest);
    } finally {
      rmSync(archive, { force: true });
    }
  } finally {
    layout.remove();
  }
});
