import { EngineError } from '../../errors.ts';
import type { ImageInfo } from '../../types.ts';

/** The fields of an inspected image that are used here. */
export interface InspectedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Created?: string;
  readonly Os?: string;
  readonly Architecture?: string;
  readonly Variant?: string;
  readonly RootFS?: { readonly Layers?: readonly string[] | null };
  readonly Config?: {
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Volumes?: object | null;
    readonly User?: string;
  } | null;
}

/** The fields of a listed image that are used here. */
export interface ImageSummary {
  readonly Id: string;
  /** Seconds since 1970. */
  readonly Created: number;
  /** Bytes, shared layers included. */
  readonly Size?: number;
  readonly RepoTags?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** An inspected image, as the engine's contract describes it. */
export function infoOf(reference: string, image: InspectedImage): ImageInfo {
  const created = Date.parse(image.Created ?? '');
  return {
    reference,
    layers: image.RootFS?.Layers ?? [],
    config: {
      env: image.Config?.Env ?? [],
      os: image.Os ?? 'linux',
      architecture: image.Architecture ?? '',
      variant: image.Variant ?? '',
    },
    created: Number.isNaN(created) ? 0 : Math.floor(created / 1000),
    labels: image.Config?.Labels ?? {},
  };
}

/** A reference as part of a request's path. Throws for text that could mean something else there. */
export function pathOf(reference: string): string {
  if (
    !/^[A-Za-z0-9][A-Za-z0-9_.\-/:@]*$/.test(reference) ||
    reference.split('/').some((part) => part === '' || part === '..' || part === '.')
  ) {
    throw new EngineError(`invalid image reference ${reference}`);
  }
  return reference;
}
