/**
 * Damerau-Levenshtein distance: an insertion, deletion, substitution or swap of neighbours costs 1. Returns
 * `limit + 1` as soon as the distance is known to exceed `limit`.
 */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let twoBack: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cell = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cell = Math.min(cell, (twoBack[j - 2] ?? 0) + 1);
      }
      current.push(cell);
      best = Math.min(best, cell);
    }
    if (best > limit) return limit + 1;
    twoBack = previous;
    previous = current;
  }
  return previous[b.length] ?? limit + 1;
}

/**
 * The candidate closest to a misspelled word, or undefined if no candidate is close. Case is ignored. Of
 * equally close candidates, the first in code point order is returned, so that the result does not depend on
 * the order of the candidates.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let limit = Math.max(1, Math.min(3, Math.floor(word.length / 3)));
  let found: string | undefined;
  for (const candidate of candidates) {
    const d = distance(wanted, candidate.toLowerCase(), limit);
    if (d < limit || (d === limit && (found === undefined || candidate < found))) {
      limit = d;
      found = candidate;
    }
  }
  return found;
}
