import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { type BaseImage, makeBaseImage } from '../../../scripts/images/archive.ts';
import {
  type NativeAddress,
  type NativeEngine,
  type NativeOptions,
  openNative,
  parseNative,
} from '../../../src/engine/native/find/address.ts';
import {
  assembleImage,
  type Configuration,
  type Digest,
  type Image,
  type Layer,
  layerMediaType,
} from '../../../src/image/index.ts';
import { engineSettings } from '../../../src/library/index.ts';
import { readTar } from '../../../src/tar/index.ts';

const options = (): NativeOptions => ({
  settings: engineSettings(process.env, homedir()),
  runId: randomBytes(8).toString('hex'),
  now: () => new Date(),
});

/** The folder of the store that an address names; undefined where it is no native engine's. */
export function nativeFolder(address: string): string | undefined {
  return parseNative(address, options())?.folder;
}

/** A native engine for a script, with a run of its own; `way` forces a way of working. */
export function scriptEngine(folder: string, way?: NativeAddress['way']): NativeEngine {
  return openNative({ folder, way }, options());
}

/** An image in memory: the only layer's archive, and a configuration. */
export function imageOf(layer: Buffer, diffId: string, configuration: Omit<Configuration, 'rootfs'>): Image {
  const whole: Configuration = {
    ...configuration,
    rootfs: { type: 'layers', diff_ids: [diffId as Digest] },
  };
  const digest = diffId as Digest;
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    yield layer;
  };
  const only: Layer = {
    descriptor: async () => ({ mediaType: layerMediaType('none'), digest, size: layer.length }),
    diffId: async () => digest,
    compressed: bytes,
    uncompressed: bytes,
  };
  return assembleImage(Buffer.from(JSON.stringify(whole)), [only]);
}

/** Loads a base image into a store, unless it holds that very image already. */
export async function loadIntoStore(folder: string, image: BaseImage): Promise<void> {
  const engine = scriptEngine(folder);
  try {
    const { bytes, diffId } = await makeBaseImage(image);
    const there = await engine.resolve(image.reference, { pull: false });
    if (there?.layers.join() === diffId && there.created === image.created) return;
    const { layer, configuration } = await partsOf(bytes);
    await engine.images.write(image.reference, imageOf(layer, diffId, configuration));
  } finally {
    await engine.close();
  }
}

/** The only layer and the configuration of an archive as `docker save` writes it. */
export async function partsOf(archive: Buffer): Promise<{ layer: Buffer; configuration: Configuration }> {
  const files = new Map<string, Buffer>();
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield archive;
  };
  for await (const { entry, content } of readTar(source())) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    files.set(entry.path, Buffer.concat(chunks));
  }
  const name = [...files.keys()].find((path) => /^[0-9a-f]{64}\.json$/.test(path)) ?? '';
  return {
    layer: files.get('layer.tar') ?? Buffer.alloc(0),
    configuration: JSON.parse((files.get(name) ?? '').toString()) as Configuration,
  };
}
