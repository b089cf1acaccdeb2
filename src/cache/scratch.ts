import type { Engine } from '../engine/index.ts';
import { emptyImage, hostPlatform, type Platform, parsePlatform } from '../image/index.ts';
import type { BaseImage } from '../resolve/index.ts';
import { SCRATCH } from '../spec/index.ts';
import { describeImage, type PutOptions, putImage } from './local-images.ts';

/** The empty root on the platform of an engine, or of this machine where there is none. */
export async function scratchImage(engine: Partial<Pick<Engine, 'report'>>): Promise<BaseImage> {
  const named = (await engine.report?.())?.platform;
  const platform = named === undefined ? hostPlatform() : parsePlatform(named);
  const { os, architecture } = typeof platform === 'string' ? hostPlatform() : platform;
  // Engines report no variant, and an empty root needs none.
  return describeImage(SCRATCH, await emptyImage({ os, architecture }));
}

/** Puts the empty root into an engine unless it is there, and resolves to its name there. */
export async function putScratchImage(base: BaseImage, options: PutOptions): Promise<string> {
  const { os, architecture } = base.config;
  return putImage(base, options, async (put) =>
    put(await emptyImage({ os, architecture } satisfies Platform)),
  );
}
