import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { writeTemporaryFile } from '../disk/index.ts';
import type { Compression } from '../tar/index.ts';
import { assembleImage } from './assemble.ts';
import { layerMediaType, packLayer } from './layer/codec.ts';
import { type Measured, measured, verified } from './layer/verify.ts';
import type { Descriptor, Image, Layer } from './types.ts';

/**
 * The same image with uncompressed layers compressed, for slow destinations such as registries. Layers that
 * are already compressed are not changed. Each layer is compressed when it is first requested, to a file in
 * the existing folder `temporary`.
 */
export async function compressImage(
  image: Image,
  compression: Exclude<Compression, 'none'>,
  temporary: string,
  signal?: AbortSignal,
): Promise<Image> {
  const layers = await image.layers();
  const plain = await Promise.all(
    layers.map(async (layer) => (await layer.descriptor()).mediaType.endsWith('.tar')),
  );
  if (!plain.includes(true)) return image;
  return assembleImage(
    await image.rawConfiguration(),
    layers.map((layer, at) =>
      plain[at] ? compressLayer(layer, compression, join(temporary, `layer-${at}`), signal) : layer,
    ),
  );
}

/** A layer compressed, in a file that is written when its descriptor or bytes are asked for first. */
export function compressLayer(
  layer: Layer,
  compression: Exclude<Compression, 'none'>,
  file: string,
  signal: AbortSignal | undefined,
): Layer {
  let packing: Promise<Descriptor> | undefined;
  const pack = async (): Promise<Descriptor> => {
    let found: Measured | undefined;
    const packed = measured(packLayer(layer.uncompressed(signal), compression), (value) => {
      found = value;
    });
    await writeTemporaryFile(file, packed, { signal });
    if (found === undefined) throw new Error('internal error: a compressed layer was not measured');
    return { mediaType: layerMediaType(compression), ...found };
  };
  const descriptor = (): Promise<Descriptor> => (packing ??= pack());
  return {
    descriptor,
    diffId: () => layer.diffId(),
    uncompressed: (given) => layer.uncompressed(given),
    async *compressed(given) {
      const declared = await descriptor();
      yield* verified(createReadStream(file, { signal: given }), declared);
    },
  };
}
