import { createHash } from 'node:crypto';
import type { Artifact, Descriptor, Registry } from '../../image/index.ts';
import type { KeyInputs } from '../../resolve/index.ts';
import { decodeInputs, encodeInputs, type LabelledInputs } from '../record.ts';

/** What the small manifest is that says what a package image's key was made of. */
export const INPUTS_TYPE = 'application/vnd.luet-ts.inputs.v1';

/** Annotations of that manifest. */
const annotations = {
  package: 'luet-ts.package',
  key: 'luet-ts.key',
  inputs: 'luet-ts.inputs',
} as const;

/** Registries need not take manifests longer than 4 MiB (distribution specification); the rest is for what is around. */
const LONGEST = 3 * 1024 * 1024;

/** What the key of an earlier image of a package was made of. */
export interface EarlierInputs {
  readonly key: string;
  readonly inputs: LabelledInputs;
}

/** The tag under which the inputs of the image stand that was pushed last for a package, whatever its version. */
export function inputsTag({ category, name }: Pick<KeyInputs, 'category' | 'name'>): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([category, name]))
    .digest('hex');
  return `inputs-${hash.slice(0, 40)}`;
}

/** The manifest that says what a key was made of, to stand beside the image that is its subject. */
export function inputsArtifact(pack: string, key: string, inputs: KeyInputs, subject: Descriptor): Artifact {
  return {
    artifactType: INPUTS_TYPE,
    annotations: {
      [annotations.package]: pack,
      [annotations.key]: key,
      [annotations.inputs]: encodeInputs(inputs, LONGEST),
    },
    parts: [],
    subject,
  };
}

/** What such a manifest says; undefined where it is another document, or damaged. */
export function readInputs(artifact: Artifact | undefined): EarlierInputs | undefined {
  if (artifact?.artifactType !== INPUTS_TYPE) return undefined;
  const { [annotations.key]: key, [annotations.inputs]: text } = artifact.annotations;
  const inputs = decodeInputs(text);
  return key === undefined || inputs === undefined ? undefined : { key, inputs };
}

/** The inputs of the image that was pushed last for a package; undefined where a repository has none. */
export async function lastInputs(
  registry: Pick<Registry, 'artifact'>,
  repository: string,
  pack: Pick<KeyInputs, 'category' | 'name'>,
  signal: AbortSignal,
): Promise<EarlierInputs | undefined> {
  return readInputs(await registry.artifact(`${repository}:${inputsTag(pack)}`, signal));
}
