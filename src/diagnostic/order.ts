import type { Diagnostic, Place } from './types.ts';

/** The fields that sorting needs. */
export type ByPlace = Pick<Diagnostic, 'place' | 'code' | 'message'>;

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function comparePlace(a: Place | undefined, b: Place | undefined): number {
  return (
    compareText(a?.file ?? '', b?.file ?? '') ||
    (a?.line ?? 0) - (b?.line ?? 0) ||
    (a?.column ?? 0) - (b?.column ?? 0)
  );
}

/** Compares two diagnostics by file, line, column, code, then message. */
export function compareDiagnostics(a: ByPlace, b: ByPlace): number {
  return comparePlace(a.place, b.place) || compareText(a.code, b.code) || compareText(a.message, b.message);
}

/** Sorts diagnostics in the order in which they are shown, and removes duplicates. */
export function sortDiagnostics<T extends ByPlace>(diagnostics: Iterable<T>): T[] {
  const sorted = [...diagnostics].sort(compareDiagnostics);
  return sorted.filter((d, i) => {
    const before = sorted[i - 1];
    return before === undefined || compareDiagnostics(before, d) !== 0;
  });
}
