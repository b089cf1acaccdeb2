import type { SpecReading } from './reader.ts';
import { report } from './reader.ts';
import type { BuildSpec } from './types.ts';
import { entry, type YamlMapping } from './yaml/index.ts';

/**
 * The name of the empty image, as in `FROM scratch` of Dockerfiles. No registry has an image with this name.
 */
export const SCRATCH = 'scratch';

/** Checks that packages on the empty image copy a shell into it before they run commands. */
export function checkScratch(reading: SpecReading, map: YamlMapping, spec: BuildSpec): void {
  const node = entry(map, 'image');
  if (node === undefined || spec.image?.value !== SCRATCH || spec.copy.length > 0) return;
  const key = spec.prelude.length > 0 ? 'prelude' : spec.steps.length > 0 ? 'steps' : undefined;
  if (key === undefined) return;
  report(reading, node, {
    code: 'no-shell',
    message: `${key} need /bin/sh, but the image scratch is empty`,
    hint: 'Add a shell with copy, or use another image',
  });
}
