import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { BytePath } from '../tar/index.ts';

/** Labels of package images. None of them has a part in a key. */
export const labels = {
  /** The package, for people. */
  package: 'luet-ts.package',
  /** What its steps did to the image that prelude left. */
  record: 'luet-ts.record',
} as const;

/** What a package image says of its steps, so that a package can be cut from it without running them. */
export interface ImageRecord {
  /** Added paths of which no folder was added: everything below them was added too. */
  readonly added: readonly BytePath[];
  /** How many paths steps changed or removed, which a delta does not hold. */
  readonly changed: number;
  readonly removed: number;
}

/** A record as a label's value. */
export function encodeRecord({ added, changed, removed }: ImageRecord): string {
  return deflateRawSync(Buffer.from(JSON.stringify([changed, removed, ...added])), { level: 9 }).toString(
    'base64url',
  );
}

/** The record in a label; undefined where it is absent or damaged. */
export function decodeRecord(label: string | undefined): ImageRecord | undefined {
  if (label === undefined) return undefined;
  try {
    const [changed, removed, ...added] = JSON.parse(
      inflateRawSync(Buffer.from(label, 'base64url'), { maxOutputLength: 1 << 28 }).toString(),
    ) as unknown[];
    if (
      typeof changed !== 'number' ||
      typeof removed !== 'number' ||
      !added.every((path) => typeof path === 'string')
    )
      return undefined;
    return { added: added as string[], changed, removed };
  } catch {
    return undefined;
  }
}
