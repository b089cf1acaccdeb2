import type { Descriptor, Platform } from './types.ts';

const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/**
 * The platform of images that this machine runs: always Linux, also if the engine runs in a virtual machine.
 * `architecture` is Node's name.
 */
export function hostPlatform(architecture: string = process.arch): Platform {
  return { os: 'linux', architecture: architectures[architecture] ?? architecture };
}

/** The default variants, as in containerd and Docker. */
const usual: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8', amd64: 'v1' };

const variantOf = ({ architecture, variant }: Platform): string | undefined =>
  variant === undefined || variant === '' ? usual[architecture] : variant;

/** Formats a platform, such as `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/');
}

/** Parses the value of `--platform`; returns an error message if it is invalid. */
export function parsePlatform(text: string): Platform | string {
  const parts = text.split('/');
  if (parts.length < 2 || parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+$/.test(part)))
    return `invalid platform ${JSON.stringify(text)}: expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/amd64 or linux/arm/v7`;
  const [os = '', architecture = '', variant] = parts;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** How well an image for `offered` runs on `wanted`: 0 is best, undefined means not at all. */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  const [mine, theirs] = [variantOf(wanted), variantOf(offered)];
  if (mine === theirs) return 0;
  const [high, low] = [mine, theirs].map((variant) => /^v(\d+)$/.exec(variant ?? '')?.[1]);
  // A newer variant of these architectures also runs images for older variants.
  if (high === undefined || low === undefined || !(wanted.architecture in usual)) return undefined;
  return Number(low) <= Number(high) ? Number(high) - Number(low) : undefined;
}

/** The images in an index. Other entries only describe images, such as BuildKit's attestations. */
export function imagesIn(manifests: readonly Descriptor[]): readonly Descriptor[] {
  return manifests.filter(
    ({ annotations, platform }) =>
      annotations?.['vnd.docker.reference.type'] === undefined &&
      !(platform?.os === 'unknown' && platform.architecture === 'unknown'),
  );
}

/** The image of an index that fits a platform best, the first of equals. Undefined if none fits. */
export function selectPlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const images = imagesIn(manifests);
  let best: { readonly descriptor: Descriptor; readonly distance: number } | undefined;
  for (const descriptor of images) {
    const distance = descriptor.platform && platformDistance(wanted, descriptor.platform);
    if (distance !== undefined && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { descriptor, distance };
  }
  if (best !== undefined) return best.descriptor;
  // An index with a single image that has no platform.
  const [only] = images;
  return images.length === 1 && only?.platform === undefined ? only : undefined;
}

/** The platforms of an index's images, in words. */
export function listPlatforms(manifests: readonly Descriptor[]): string {
  const names = imagesIn(manifests).flatMap(({ platform }) =>
    platform === undefined ? [] : [formatPlatform(platform)],
  );
  return names.length === 0 ? 'none' : [...new Set(names)].join(', ');
}
