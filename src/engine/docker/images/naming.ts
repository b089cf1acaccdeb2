import type { ImageInfo } from '../../types.ts';
import { ApiError } from '../connection/connection.ts';
import type { Images } from './images.ts';

/**
 * Makes an image under a name. The image that had the name before is removed if it has no other. `ids` is
 * called with the ids of both, because each of them may stay without a name while others use it.
 */
export async function replacing(
  images: Images,
  reference: string,
  make: () => Promise<ImageInfo>,
  ids: (id: string) => void,
): Promise<ImageInfo> {
  const before = await images.inspect(reference);
  const image = await make().catch(async (error: unknown) => {
    if (!wasNamed(error)) throw error;
    return await images.made(reference);
  });
  const after = await images.inspect(reference);
  if (after !== undefined) ids(after.Id);
  if (before !== undefined && after?.Id !== before.Id) {
    ids(before.Id);
    await images.drop(before.Id);
  }
  return image;
}

/**
 * As `replacing`, for making that takes only a moment: it does not wait for the question which image had the
 * name. Resolves when the image is made; `former` resolves when the one that had its name before is removed.
 */
export async function naming(
  images: Images,
  reference: string,
  make: () => Promise<string>,
  ids: (id: string) => void,
): Promise<{ readonly former: Promise<void> }> {
  // The engine handles this request before the one that follows.
  const before = images.inspect(reference).catch(() => undefined);
  let made: string | undefined;
  try {
    made = await make();
    ids(made);
  } catch (error) {
    if (!wasNamed(error)) throw error;
    // Docker says which image it made and could not name.
    const nameless = /\bsha256:[0-9a-f]{64}\b/.exec(error.message)?.[0];
    if (nameless !== undefined) ids(nameless);
    await images.made(reference);
  }
  const former = before.then(async (image) => {
    if (image === undefined || image.Id === made) return;
    ids(image.Id);
    await images.drop(image.Id);
  });
  return { former: former.catch(() => {}) };
}

/**
 * Whether another run gave the name to its image a moment before. Names are keys, so both images are the
 * same.
 */
function wasNamed(error: unknown): error is ApiError {
  return error instanceof ApiError && /already ?exists/i.test(error.message);
}
