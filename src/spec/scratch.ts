import type { Reading } from './reader.ts';
import { report } from './reader.ts';
import type { BuildSpec } from './types.ts';
import { entry, type YamlMapping } from './yaml/index.ts';

/** The name that stands for the empty root, as in a Dockerfile's `FROM scratch`. It is no image of any registry. */
export const SCRATCH = 'scratch';

/** Commands cannot run on the empty root before something brings a shell. */
export function checkScratch(reading: Reading, map: YamlMapping, spec: BuildSpec): void {
  const node = entry(map, 'image');
  if (node === undefined || spec.image?.value !== SCRATCH || spec.copy.length > 0) return;
  const key = spec.prelude.length > 0 ? 'prelude' : spec.steps.length > 0 ? 'steps' : undefined;
  if (key === undefined) return;
  report(reading, node, {
    code: 'no-shell',
    message: `${key} need a /bin/sh, and the image scratch is empty`,
    hint: 'Bring a shell with copy, or name another image',
  });
}
