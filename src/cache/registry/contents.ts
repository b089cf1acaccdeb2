import { type Digest, fallbackTag, ImageError, inParallel, type Registry } from '../../image/index.ts';
import { decodeInputs, type LabelledInputs, labels } from '../record.ts';
import { inputsTag, readInputs } from './inputs.ts';

/** A package image in a repository. */
export interface StoredImage {
  readonly key: string;
  /** `category/name-version`; empty where the image does not say. */
  readonly package: string;
  /** Of the manifest. */
  readonly digest: Digest;
  /** Seconds since 1970; 0 where the image does not say. */
  readonly created: number;
  /** Bytes of all its layers, as they are stored. */
  readonly size: number;
  /** What its key was made of, where the image says so. */
  readonly inputs: LabelledInputs | undefined;
}

/** Requests that are under way at once. */
const AT_ONCE = 16;

const isKey = (tag: string): boolean => /^[0-9a-f]{64}$/.test(tag);

/** The package images of a repository, by their packages' names. Rejects with an `ImageError` where the registry does not answer. */
export async function storedImages(
  registry: Registry,
  repository: string,
  signal: AbortSignal,
): Promise<readonly StoredImage[]> {
  const tags: string[] = [];
  for await (const page of registry.tagPages(repository, signal)) tags.push(...page.filter(isKey));
  const found: StoredImage[] = [];
  await inParallel(AT_ONCE, tags, signal, async (key) => {
    const image = await registry.image(`${repository}:${key}`, { signal });
    // Another machine may have deleted it meanwhile.
    if (image === undefined) return;
    const { config, created } = await image.configuration();
    const sizes = await Promise.all(
      (await image.layers()).map(async (layer) => (await layer.descriptor()).size),
    );
    const time = Date.parse(created ?? '');
    found.push({
      key,
      package: config?.Labels?.[labels.package] ?? '',
      digest: (await image.descriptor()).digest,
      created: Number.isNaN(time) ? 0 : Math.floor(time / 1000),
      size: sizes.reduce((sum, one) => sum + one, 0),
      inputs: decodeInputs(config?.Labels?.[labels.inputs]),
    });
  });
  return found.sort((a, b) =>
    a.package === b.package ? b.created - a.created : a.package < b.package ? -1 : 1,
  );
}

/**
 * Deletes package images, with the small manifests that say what their keys were made of. Rejects with an `ImageError` where the
 * registry does not allow that. The space is free when the registry has collected its garbage.
 */
export async function deleteImages(
  registry: Registry,
  repository: string,
  images: readonly StoredImage[],
  signal: AbortSignal,
): Promise<void> {
  await inParallel(AT_ONCE, images, signal, async (image) => {
    // The manifests beside it first: with the image gone, nobody would find them.
    await deleteBeside(registry, repository, image, signal);
    await registry.delete(`${repository}@${image.digest}`, signal);
  });
}

async function deleteBeside(
  registry: Registry,
  repository: string,
  { key, digest, inputs }: StoredImage,
  signal: AbortSignal,
): Promise<void> {
  const names = [`${repository}:${fallbackTag(digest)}`];
  if (inputs !== undefined) {
    // The tag is that of the last image of the package, which may be another one.
    const name = `${repository}:${inputsTag(inputs)}`;
    if (readInputs(await registry.artifact(name, signal))?.key === key) names.push(name);
  }
  for (const name of names) {
    const found = await registry.head(name, signal);
    if (found) await registry.delete(`${repository}@${found}`, signal);
  }
}

/** Whether an error says that a registry does not allow to delete. */
export const isDeleteRefused = (error: unknown): boolean =>
  error instanceof ImageError && (error as { status?: unknown }).status === 405;
