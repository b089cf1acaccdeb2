import type { Place } from '../diagnostic/index.ts';
import type { InputFile, KeyInputs, ResolvedNode, ResolvedPackage } from '../resolve/index.ts';

/** The inputs of an earlier key. `context` is null if it was too long to be stored. */
export type EarlierKeyInputs = Omit<KeyInputs, 'context'> & { readonly context: KeyInputs['context'] | null };

/** One difference between the inputs of an earlier key of a package and of its current key. */
export type KeyChange =
  /** Keys of different schemes cannot be compared. */
  | { readonly kind: 'scheme'; readonly was: number; readonly is: number }
  | { readonly kind: 'version' | 'platform'; readonly was: string; readonly is: string }
  /**
   * A command was changed, added (`was` is undefined) or removed (`is` is undefined). `index` starts at 0.
   */
  | {
      readonly kind: 'command';
      readonly phase: 'prelude' | 'steps';
      readonly index: number;
      readonly was?: string;
      readonly is?: string;
      readonly place: Place;
    }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly was?: string;
      readonly is?: string;
      readonly place: Place;
    }
  /** A file beside `build.yaml`, or one found by `retrieve`. */
  | {
      readonly kind: 'file' | 'retrieved';
      readonly path: string;
      readonly how: 'added' | 'removed' | 'content' | 'type';
    }
  /** Some file beside `build.yaml`; the earlier list of files was not stored. */
  | { readonly kind: 'some-file' }
  | {
      readonly kind: 'copy';
      readonly index: number;
      readonly was?: string;
      readonly is?: string;
      readonly place: Place;
    };

/** The differences between an earlier key and the current one. */
export interface Comparison {
  /** Changes in the package itself. */
  readonly changes: readonly KeyChange[];
  /** Whether it runs on a different image. */
  readonly isOtherParent: boolean;
  /** Indexes of the `copy` items whose source images differ. */
  readonly otherCopies: readonly number[];
}

/** Compares the inputs of an earlier key of a package with those of its current key. */
export function compareInputs(
  was: EarlierKeyInputs,
  is: KeyInputs,
  pack: ResolvedPackage,
  node: Pick<ResolvedNode, 'copies'>,
): Comparison {
  if (was.scheme !== is.scheme)
    return {
      changes: [{ kind: 'scheme', was: was.scheme, is: is.scheme }],
      isOtherParent: false,
      otherCopies: [],
    };
  const changes: KeyChange[] = [];
  for (const kind of ['version', 'platform'] as const)
    if (was[kind] !== is[kind]) changes.push({ kind, was: was[kind], is: is[kind] });
  for (const phase of ['prelude', 'steps'] as const)
    changes.push(...commandChanges(was[phase], is[phase], phase, pack));
  changes.push(...variableChanges(was.env, is.env, pack));
  changes.push(...fileChanges(was.context, is.context));
  changes.push(...retrievedChanges(was.retrieved, is.retrieved));
  const copies = copyChanges(was.copies, is.copies, pack, node);
  changes.push(...copies.changes);
  return { changes, isOtherParent: was.parent !== is.parent, otherCopies: copies.others };
}

/** The differing parts of two lists, in order, without their common start and end. */
function differingParts<T>(
  was: readonly T[],
  is: readonly T[],
): readonly { index: number; was?: T; is?: T }[] {
  let start = 0;
  while (start < was.length && start < is.length && was[start] === is[start]) start++;
  let end = 0;
  const shorter = Math.min(was.length, is.length) - start;
  while (end < shorter && was[was.length - 1 - end] === is[is.length - 1 - end]) end++;
  const count = Math.max(was.length, is.length) - start - end;
  return Array.from({ length: count }, (_, at) => {
    const index = start + at;
    return {
      index,
      ...(index < was.length - end ? { was: was[index] as T } : {}),
      ...(index < is.length - end ? { is: is[index] as T } : {}),
    };
  }).filter((one) => one.was !== one.is);
}

function commandChanges(
  was: readonly string[],
  is: readonly string[],
  phase: 'prelude' | 'steps',
  pack: ResolvedPackage,
): KeyChange[] {
  return differingParts(was, is).map((part) => ({
    kind: 'command',
    phase,
    ...part,
    place: pack[phase][Math.min(part.index, pack[phase].length - 1)]?.place ?? pack.buildPlace,
  }));
}

function variableChanges(
  was: readonly string[],
  is: readonly string[],
  { env, buildPlace }: ResolvedPackage,
): KeyChange[] {
  const pair = (text: string): readonly [name: string, value: string] => {
    const at = text.indexOf('=');
    return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  };
  const before = new Map(was.map(pair));
  const now = new Map(is.map(pair));
  const changes: KeyChange[] = [];
  for (const name of new Set([...before.keys(), ...now.keys()])) {
    const [old, value] = [before.get(name), now.get(name)];
    if (old === value) continue;
    changes.push({
      kind: 'variable',
      name,
      ...(old === undefined ? {} : { was: old }),
      ...(value === undefined ? {} : { is: value }),
      place: env.find((one) => pair(one.value)[0] === name)?.place ?? buildPlace,
    });
  }
  if (changes.length > 0 || was.join('\n') === is.join('\n')) return changes;
  // The same variables in another order, which can change their meaning.
  return [{ kind: 'variable', name: '', was: was.join(' '), is: is.join(' '), place: buildPlace }];
}

function fileChanges(was: readonly InputFile[] | null, is: readonly InputFile[]): KeyChange[] {
  // The files are unknown, so whether they changed can only be concluded if nothing else changed.
  if (was === null) return [];
  const before = new Map(was.map((file) => [file.path, file]));
  const now = new Map(is.map((file) => [file.path, file]));
  const changes: KeyChange[] = [];
  for (const path of [...new Set([...before.keys(), ...now.keys()])].sort()) {
    const [old, file] = [before.get(path), now.get(path)];
    const how =
      old === undefined
        ? 'added'
        : file === undefined
          ? 'removed'
          : old.type !== file.type
            ? 'type'
            : old.content !== file.content
              ? 'content'
              : undefined;
    if (how !== undefined) changes.push({ kind: 'file', path, how });
  }
  return changes;
}

function retrievedChanges(was: KeyInputs['retrieved'], is: KeyInputs['retrieved']): KeyChange[] {
  const text = ({ sha256, unpacked }: KeyInputs['retrieved'][number]): string => `${sha256} ${unpacked}`;
  const before = new Map(was.map((one) => [one.path, text(one)]));
  const now = new Map(is.map((one) => [one.path, text(one)]));
  return [...new Set([...before.keys(), ...now.keys()])].sort().flatMap((path): KeyChange[] => {
    const [old, value] = [before.get(path), now.get(path)];
    if (old === value) return [];
    const how = old === undefined ? 'added' : value === undefined ? 'removed' : 'content';
    return [{ kind: 'retrieved', path, how }];
  });
}

function copyChanges(
  was: KeyInputs['copies'],
  is: KeyInputs['copies'],
  { buildPlace }: ResolvedPackage,
  { copies }: Pick<ResolvedNode, 'copies'>,
): { changes: KeyChange[]; others: number[] } {
  const text = ({ source, destination }: KeyInputs['copies'][number]): string =>
    `${source} to ${destination}`;
  const changes = differingParts(was.map(text), is.map(text)).map(
    (part): KeyChange => ({
      kind: 'copy',
      ...part,
      place: copies[Math.min(part.index, copies.length - 1)]?.place ?? buildPlace,
    }),
  );
  const others =
    was.length === is.length ? is.flatMap((copy, at) => (copy.from === was[at]?.from ? [] : [at])) : [];
  return { changes, others };
}
