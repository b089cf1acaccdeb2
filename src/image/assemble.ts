import { digestOf, isDigest } from './layer/verify.ts';
import { type Configuration, type Descriptor, type Image, ImageError, type Layer } from './types.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIGURATION = 'application/vnd.oci.image.config.v1+json';

/** An image's configuration out of its bytes. Throws an ImageError where it is none, or names no layers. */
export function parseConfiguration(bytes: Uint8Array): Configuration {
  let value: Partial<Configuration>;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Configuration>;
  } catch (error) {
    throw new ImageError(`an image's configuration is no JSON: ${(error as Error).message}`);
  }
  const ids: unknown = value?.rootfs?.diff_ids;
  if (!Array.isArray(ids) || !ids.every(isDigest))
    throw new ImageError("an image's configuration does not list the digests of its layers");
  for (const key of ['os', 'architecture'] as const)
    if (typeof value[key] !== 'string')
      throw new ImageError(`an image's configuration does not name its ${key}`);
  return value as Configuration;
}

/**
 * An image out of a configuration and the layers that it lists, for places that keep no manifest of their own. Throws an
 * ImageError where the configuration is none, or lists another number of layers.
 */
export function assembleImage(rawConfiguration: Uint8Array, layers: readonly Layer[]): Image {
  const configuration = parseConfiguration(rawConfiguration);
  const { diff_ids: ids } = configuration.rootfs;
  if (ids.length !== layers.length)
    throw new ImageError(`an image's configuration lists ${ids.length} layers, and it has ${layers.length}`);
  let manifest: Promise<Buffer> | undefined;
  const write = async (): Promise<Buffer> => {
    const config: Descriptor = {
      mediaType: CONFIGURATION,
      digest: digestOf(rawConfiguration),
      size: rawConfiguration.length,
    };
    const stored = await Promise.all(layers.map((layer) => layer.descriptor()));
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: stored }));
  };
  const image: Image = {
    manifest: () => (manifest ??= write()),
    descriptor: async () => {
      const bytes = await image.manifest();
      return { mediaType: MANIFEST, digest: digestOf(bytes), size: bytes.length };
    },
    rawConfiguration: () => Promise.resolve(rawConfiguration),
    configuration: () => Promise.resolve(configuration),
    layers: () => Promise.resolve(layers),
  };
  return image;
}
