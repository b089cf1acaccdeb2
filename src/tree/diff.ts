/** Number of context lines around a change. */
const CONTEXT = 3;

/**
 * The difference between two texts with the same number of lines, in the format of `diff -u`; empty if they
 * are equal. Throws a RangeError if the numbers of lines differ.
 */
export function unifiedDiff(file: string, before: string, after: string): string {
  const old = before.split('\n');
  const fresh = after.split('\n');
  if (old.length !== fresh.length || (old.at(-1) === '') !== (fresh.at(-1) === ''))
    throw new RangeError('the texts have different numbers of lines');
  const changed = [...old.keys()].filter((at) => old[at] !== fresh[at]);
  if (changed.length === 0) return '';
  // The newline at the end of a text does not start another line.
  const end = old.at(-1) === '' ? old.length - 1 : old.length;
  const hunks: [first: number, behind: number][] = [];
  for (const at of changed) {
    const first = Math.max(0, at - CONTEXT);
    const behind = Math.min(end, at + CONTEXT + 1);
    const latest = hunks.at(-1);
    if (latest !== undefined && first <= latest[1]) latest[1] = behind;
    else hunks.push([first, behind]);
  }
  const rows = [`--- a/${file}`, `+++ b/${file}`];
  for (const [first, behind] of hunks) {
    const count = behind - first;
    const range = `${first + 1}${count === 1 ? '' : `,${count}`}`;
    rows.push(`@@ -${range} +${range} @@`);
    for (let at = first; at < behind; ) {
      if (old[at] === fresh[at]) rows.push(...line(' ', old, at++, end));
      else {
        const from = at;
        while (at < behind && old[at] !== fresh[at]) at++;
        for (let i = from; i < at; i++) rows.push(...line('-', old, i, end));
        for (let i = from; i < at; i++) rows.push(...line('+', fresh, i, end));
      }
    }
  }
  return `${rows.join('\n')}\n`;
}

function line(sign: string, lines: readonly string[], at: number, end: number): string[] {
  const unended = at === end - 1 && end === lines.length;
  return [`${sign}${lines[at] ?? ''}`, ...(unended ? ['\\ No newline at end of file'] : [])];
}
