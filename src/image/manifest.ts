import { fieldsOf, isObject, isStrings, type Json } from './json.ts';
import { isDigest } from './layer/verify.ts';
import { type Configuration, type Descriptor, ImageError, type Platform } from './types.ts';

/**
 * Maximum size in bytes of a manifest or index: the size that registries should accept according to the
 * distribution specification.
 */
export const LONGEST_MANIFEST = 4 * 1024 * 1024;

/** Maximum size in bytes of a configuration. */
export const LONGEST_CONFIGURATION = 8 * 1024 * 1024;

/** Maximum number of layers. Container runtimes support about 125, and the kernel mounts 500. */
const MOST_LAYERS = 10_000;

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** A descriptor in a manifest, with the additional field of layers outside registries. */
export interface ManifestLayer extends Descriptor {
  /** URLs of a layer that registries need not store (Windows base layers). */
  readonly urls?: readonly string[];
}

/** The manifest of one image. */
export interface ImageManifest {
  readonly kind: 'image';
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly ManifestLayer[];
}

/** The manifest of several images. */
export interface IndexManifest {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

/** Whether a media type is that of an index. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
}

/** Parses a JSON object. Throws an ImageError that names `what`. */
function parseObject(bytes: Uint8Array, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new ImageError(`${what} is not JSON`, { cause: error });
  }
  if (!isObject(value)) throw new ImageError(`${what} is not an object`);
  return value;
}

/** Checks a descriptor. Throws an ImageError that names `what`. */
export function parseDescriptor(value: unknown, what: string): ManifestLayer {
  if (!isObject(value)) throw new ImageError(`${what} is not an object`);
  const { mediaType, digest, size, platform, annotations, urls } = value;
  if (typeof mediaType !== 'string') throw new ImageError(`${what} has no media type`);
  if (!isDigest(digest))
    throw new ImageError(
      `${what} has the invalid digest ${JSON.stringify(digest)?.slice(0, 200)}; expected sha256`,
    );
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw new ImageError(`${what} has the invalid size ${JSON.stringify(size)?.slice(0, 40)}`);
  return {
    mediaType,
    digest,
    size: size as number,
    ...(isObject(platform) ? { platform: parsePlatformOf(platform) } : {}),
    ...(isObject(annotations) ? { annotations: stringsOf(annotations) } : {}),
    ...(isStrings(urls) && urls.length > 0 ? { urls } : {}),
  };
}

function parsePlatformOf({ os, architecture, variant }: Json): Platform {
  const text = (value: unknown): string => (typeof value === 'string' ? value : 'unknown');
  return {
    os: text(os),
    architecture: text(architecture),
    ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
  };
}

function stringsOf(object: Json): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/**
 * Parses the manifest of an image or an index, in the format of OCI or of Docker's schema 2. `mediaType` is
 * the type declared by the source, if known. Throws an ImageError that names `what`.
 */
export function parseManifest(
  bytes: Uint8Array,
  mediaType: string | undefined,
  what: string,
): ImageManifest | IndexManifest {
  const json = parseObject(bytes, what);
  if (json.schemaVersion === 1)
    throw new ImageError(`${what} uses Docker's obsolete schema 1; push the image again with a current tool`);
  const own = typeof json.mediaType === 'string' ? json.mediaType : undefined;
  const named = mediaType === undefined || !isManifestType(mediaType) ? undefined : mediaType;
  if (own !== undefined && named !== undefined && own !== named)
    throw new ImageError(`${what} has the media type ${own}, but its source declares ${named}`);
  // A manifest that can be read as both would mean different things to different readers.
  if (json.manifests !== undefined && (json.layers !== undefined || json.config !== undefined))
    throw new ImageError(`${what} is both an index and an image`);
  const type = own ?? named ?? (json.manifests === undefined ? OCI_MANIFEST : OCI_INDEX);
  if (!isManifestType(type))
    throw new ImageError(`${what} has the unknown media type ${JSON.stringify(type.slice(0, 200))}`);
  return isIndexType(type) ? parseIndex(json, type, what) : parseImage(json, type, what);
}

const isManifestType = (type: string): boolean =>
  type === OCI_MANIFEST || type === DOCKER_MANIFEST || isIndexType(type);

function parseIndex({ manifests }: Json, mediaType: string, what: string): IndexManifest {
  if (!Array.isArray(manifests)) throw new ImageError(`${what} lists no manifests`);
  return {
    kind: 'index',
    mediaType,
    manifests: manifests.map((one, i) => parseDescriptor(one, `${what}: manifest ${i + 1}`)),
  };
}

function parseImage({ config, layers }: Json, mediaType: string, what: string): ImageManifest {
  // Docker writes null if an image has no layers.
  const list = layers ?? [];
  if (!Array.isArray(list)) throw new ImageError(`${what} lists no layers`);
  if (list.length > MOST_LAYERS)
    throw new ImageError(`${what} lists ${list.length} layers; the maximum is ${MOST_LAYERS}`);
  return {
    kind: 'image',
    mediaType,
    config: parseDescriptor(config, `${what}: the configuration`),
    layers: list.map((one, i) => parseDescriptor(one, `${what}: layer ${i + 1}`)),
  };
}

/** The fields of a configuration that are used here, and those of its `config`. */
const FIELDS = ['architecture', 'config', 'created', 'history', 'os', 'rootfs', 'variant'];
const RUNTIME_FIELDS = ['Cmd', 'Entrypoint', 'Env', 'Labels', 'User', 'Volumes', 'WorkingDir'];

/** Whether a value is a time in RFC 3339, the only form that engines accept. */
const isTime = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value) &&
  !Number.isNaN(Date.parse(value));

/** Parses a configuration and checks the fields used here. Throws an ImageError that names `what`. */
export function parseConfiguration(bytes: Uint8Array, what = "an image's configuration"): Configuration {
  const json = fieldsOf(parseObject(bytes, what), FIELDS);
  const rootfs = isObject(json.rootfs) ? fieldsOf(json.rootfs, ['type', 'diff_ids']) : undefined;
  const ids = rootfs?.diff_ids ?? [];
  if (rootfs === undefined || !Array.isArray(ids) || !ids.every(isDigest))
    throw new ImageError(`${what} does not list the digests of its layers`);
  const config = parseRuntime(json.config, what);
  for (const key of ['os', 'architecture'])
    if (typeof json[key] !== 'string') throw new ImageError(`${what} does not name its ${key}`);
  if (json.created !== undefined && json.created !== null && !isTime(json.created))
    throw new ImageError(
      `${what}: created is ${JSON.stringify(json.created).slice(0, 60)}, which is not a time such as 2020-01-02T03:04:05Z`,
    );
  return {
    ...(json as unknown as Configuration),
    ...(config === undefined ? {} : { config }),
    rootfs: { type: 'layers', diff_ids: ids },
  };
}

/** Parses the field `config`. Throws an ImageError that names `what`. */
function parseRuntime(value: unknown, what: string): Configuration['config'] {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new ImageError(`${what}: config is not an object`);
  const config = fieldsOf(value, RUNTIME_FIELDS);
  for (const name of ['Env', 'Cmd', 'Entrypoint']) {
    const list = config[name];
    if (list !== undefined && list !== null && !isStrings(list))
      throw new ImageError(`${what}: config.${name} is not a list of strings`);
  }
  const { Labels } = config;
  if (Labels !== undefined && Labels !== null && !(isObject(Labels) && isStrings(Object.values(Labels))))
    throw new ImageError(`${what}: config.Labels are not strings`);
  return config as Configuration['config'];
}
