import type { Descriptor, Platform } from './types.ts';

const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** What images this machine runs: Linux, also where an engine's machine runs it for us. `architecture` is Node's name. */
export function hostPlatform(architecture: string = process.arch): Platform {
  return { os: 'linux', architecture: architectures[architecture] ?? architecture };
}

/** The variant that is meant where none is named (containerd's and Docker's reading). */
const usual: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8', amd64: 'v1' };

const variantOf = ({ architecture, variant }: Platform): string | undefined =>
  variant === undefined || variant === '' ? usual[architecture] : variant;

/** `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/');
}

/** A platform as `--platform` takes it, or a sentence that says what is wrong with it. */
export function parsePlatform(text: string): Platform | string {
  const parts = text.split('/');
  if (parts.length < 2 || parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+$/.test(part)))
    return `${JSON.stringify(text)} is no platform: write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/amd64 or linux/arm/v7`;
  const [os = '', architecture = '', variant] = parts;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** How well something made for `offered` runs on `wanted`: 0 is best, undefined where it does not. */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  const [mine, theirs] = [variantOf(wanted), variantOf(offered)];
  if (mine === theirs) return 0;
  const [high, low] = [mine, theirs].map((variant) => /^v(\d+)$/.exec(variant ?? '')?.[1]);
  // A newer variant of these runs what was made for an older one.
  if (high === undefined || low === undefined || !(wanted.architecture in usual)) return undefined;
  return Number(low) <= Number(high) ? Number(high) - Number(low) : undefined;
}

/** What of an index's manifests are images. Others only tell of an image, such as the attestations that BuildKit writes beside it. */
export function imagesIn(manifests: readonly Descriptor[]): readonly Descriptor[] {
  return manifests.filter(
    ({ annotations, platform }) =>
      annotations?.['vnd.docker.reference.type'] === undefined &&
      !(platform?.os === 'unknown' && platform.architecture === 'unknown'),
  );
}

/** Which of an index's manifests suits a platform best, the first of equals; undefined where none does. */
export function selectPlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const images = imagesIn(manifests);
  let best: { readonly descriptor: Descriptor; readonly distance: number } | undefined;
  for (const descriptor of images) {
    const distance = descriptor.platform && platformDistance(wanted, descriptor.platform);
    if (distance !== undefined && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { descriptor, distance };
  }
  if (best !== undefined) return best.descriptor;
  // An index of one image that does not say what it is for.
  const [only] = images;
  return images.length === 1 && only?.platform === undefined ? only : undefined;
}

/** The platforms of an index's images in words. */
export function listPlatforms(manifests: readonly Descriptor[]): string {
  const names = imagesIn(manifests).flatMap(({ platform }) =>
    platform === undefined ? [] : [formatPlatform(platform)],
  );
  return names.length === 0 ? 'none' : [...new Set(names)].join(', ');
}
