import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { KeyInputs } from '../resolve/index.ts';
import type { BytePath } from '../tar/index.ts';

/** Labels of package images. Keys do not depend on them. */
export const labels = {
  /** The package, for people. */
  package: 'luet-ts.package',
  /** What its steps did to the image after prelude. */
  record: 'luet-ts.record',
  /** Its content key, so that an image under a wrong name is not taken for another. */
  key: 'luet-ts.key',
  /** What its key was made of. */
  inputs: 'luet-ts.inputs',
} as const;

/** What steps did to the image after prelude, as far as it decides what packages hold. */
export interface StepPaths {
  /** Added paths of which no folder was added: everything below them was added too. */
  readonly added: readonly BytePath[];
  /**
   * Paths that existed before and that steps changed, which a delta does not hold; or their number, where
   * they are too many.
   */
  readonly changed: readonly BytePath[] | number;
}

/** What a package image says of its steps, so that packages can be cut from it without running them. */
export interface ImageRecord extends StepPaths {
  /** How many paths steps removed, which a delta does not hold either. */
  readonly removed: number;
}

/** Some engines refuse long labels; the whole configuration of an image should stay well below a megabyte. */
const MOST_INPUTS = 64 * 1024;
const MOST_CHANGED = 64 * 1024;

/**
 * Writes a record as a label's value. Where very many paths were changed, only their number is written, so
 * that the label stays short.
 */
export function encodeRecord({ added, changed, removed }: ImageRecord): string {
  const paths = packed(changed);
  const told = typeof changed === 'number' || paths.length <= MOST_CHANGED ? changed : changed.length;
  return packed([told, removed, ...added]);
}

/** Reads the record of a label; undefined where it is absent or damaged. */
export function decodeRecord(label: string | undefined): ImageRecord | undefined {
  const value = unpacked(label);
  if (!Array.isArray(value)) return undefined;
  const [changed, removed, ...added] = value as unknown[];
  if (!(typeof changed === 'number' || isTexts(changed)) || typeof removed !== 'number' || !isTexts(added))
    return undefined;
  return { added, changed, removed };
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/**
 * The inputs of a key as the value of a label or annotation of so many characters at most. A context of very
 * many files is left out where it would be longer.
 */
export function encodeInputs(inputs: KeyInputs, longest = MOST_INPUTS): string {
  const whole = packed(inputs);
  return whole.length <= longest ? whole : packed({ ...inputs, context: null });
}

/** Inputs of a key in a label; `context` is null where it was left out. */
export type LabelledInputs = Omit<KeyInputs, 'context'> & { readonly context: KeyInputs['context'] | null };

/** The inputs in a label; undefined where they are absent, damaged or of another key scheme's shape. */
export function decodeInputs(label: string | undefined): LabelledInputs | undefined {
  return checkedInputs(unpacked(label));
}

/** Data as the inputs of a key; undefined where they are another key scheme's, or none. Whoever wrote them may have meant harm. */
export function checkedInputs(data: unknown): LabelledInputs | undefined {
  const value = data as Partial<Record<keyof KeyInputs, unknown>> | null | undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, category, version, platform, parent, prelude, steps, env } = value;
  const isWhole =
    typeof value.scheme === 'number' &&
    [name, category, version, platform, parent].every((one) => typeof one === 'string') &&
    [prelude, steps, env].every(isTexts) &&
    (value.context === null || isListOf(value.context, ['path', 'type', 'content'])) &&
    isListOf(value.copies, ['source', 'destination', 'from']) &&
    isListOf(value.retrieved, ['path', 'sha256']);
  return isWhole ? (value as LabelledInputs) : undefined;
}

/** Whether a value is a list of objects in which these fields are texts. */
const isListOf = (value: unknown, fields: readonly string[]): boolean =>
  Array.isArray(value) &&
  value.every((one: unknown) => {
    const object = one as Readonly<Record<string, unknown>> | null;
    return typeof object === 'object' && fields.every((field) => typeof object?.[field] === 'string');
  });

const packed = (value: unknown): string =>
  deflateRawSync(Buffer.from(JSON.stringify(value)), { level: 9 }).toString('base64url');

function unpacked(label: string | undefined): unknown {
  if (label === undefined) return undefined;
  try {
    return JSON.parse(
      inflateRawSync(Buffer.from(label, 'base64url'), { maxOutputLength: 1 << 28 }).toString(),
    ) as unknown;
  } catch {
    return undefined;
  }
}
