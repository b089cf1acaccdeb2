import type { Image, Layer } from './types.ts';

/** The same image; reports the number of layer bytes as they are read. */
export function countedImage(image: Image, onBytes: (count: number) => void): Image {
  const counted = async function* (
    source: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      onBytes(chunk.length);
      yield chunk;
    }
  };
  const layerOf = (layer: Layer): Layer => ({
    descriptor: () => layer.descriptor(),
    diffId: () => layer.diffId(),
    compressed: (signal) => counted(layer.compressed(signal)),
    uncompressed: (signal) => counted(layer.uncompressed(signal)),
  });
  return {
    manifest: () => image.manifest(),
    descriptor: () => image.descriptor(),
    rawConfiguration: () => image.rawConfiguration(),
    configuration: () => image.configuration(),
    layers: async () => (await image.layers()).map(layerOf),
  };
}
