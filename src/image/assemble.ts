import { digestOf } from './layer/verify.ts';
import { OCI_MANIFEST, parseConfiguration } from './manifest.ts';
import { type Descriptor, type Image, ImageError, type Layer } from './types.ts';

const CONFIGURATION = 'application/vnd.oci.image.config.v1+json';

/**
 * Creates an image from a configuration and its layers, for places that keep no manifest. Throws an
 * ImageError if the configuration is invalid or lists a different number of layers.
 */
export function assembleImage(rawConfiguration: Uint8Array, layers: readonly Layer[]): Image {
  const configuration = parseConfiguration(rawConfiguration);
  const { diff_ids: ids } = configuration.rootfs;
  if (ids.length !== layers.length)
    throw new ImageError(
      `the configuration of the image lists ${ids.length} layers, but the image has ${layers.length}`,
    );
  let manifest: Promise<Buffer> | undefined;
  const write = async (): Promise<Buffer> => {
    const config: Descriptor = {
      mediaType: CONFIGURATION,
      digest: digestOf(rawConfiguration),
      size: rawConfiguration.length,
    };
    const stored = await Promise.all(layers.map((layer) => layer.descriptor()));
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: stored }));
  };
  const image: Image = {
    manifest: () => (manifest ??= write()),
    descriptor: async () => {
      const bytes = await image.manifest();
      return { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
    },
    rawConfiguration: () => Promise.resolve(rawConfiguration),
    configuration: () => Promise.resolve(configuration),
    layers: () => Promise.resolve(layers),
  };
  return image;
}
