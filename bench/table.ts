/** One line of a table: what was measured, and its cells. */
export interface Row {
  readonly name: string;
  readonly cells: readonly string[];
}

const NAME = 44;
const CELL = 13;

/** Prints a table's title and the names of its columns. */
export function head(title: string, columns: readonly string[]): void {
  console.log(`\n${title}`);
  console.log(''.padEnd(NAME) + columns.map((column) => column.padStart(CELL)).join(''));
}

/** Prints a line of a table. */
export function row(name: string, ...cells: readonly string[]): void {
  console.log(name.padEnd(NAME) + cells.map((cell) => cell.padStart(CELL)).join(''));
}

/** Milliseconds, in seconds where they are many. */
export function time(milliseconds: number): string {
  return milliseconds < 10_000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** The middle of some measurements. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
