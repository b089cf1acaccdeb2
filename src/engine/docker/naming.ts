import type { ImageInfo } from '../types.ts';
import { ApiError } from './connection.ts';
import type { Images } from './images.ts';

/**
 * Makes an image under a name. The one that had that name before, and has no other, is of no use to anyone: it goes. `ids`
 * hears of both, of which either may stay without a name while others use it.
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
 * Like `replacing`, for what takes a moment only: nobody waits for the answer which image had the name. Resolves when the
 * image is made; `former` resolves when the one that had its name before is gone.
 */
export async function naming(
  images: Images,
  reference: string,
  make: () => Promise<string>,
  ids: (id: string) => void,
): Promise<{ readonly former: Promise<void> }> {
  // The engine looks it up before it reads what follows.
  const before = images.inspect(reference).catch(() => undefined);
  let made: string | undefined;
  try {
    made = await make();
    ids(made);
  } catch (error) {
    if (!wasNamed(error)) throw error;
    // Docker says which one it made and could not name.
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
 * Whether another run was quicker by a moment to give a name to its image; names are keys, so that is the same image.
 */
function wasNamed(error: unknown): error is ApiError {
  return error instanceof ApiError && /already ?exists/i.test(error.message);
}
