import type { Output } from '../context.ts';
import { displayWidth } from './width.ts';

// The terminal shows what is between these at once. The cursor is away only in between: whatever ends
// this program, it is back.
const BEGIN = '\x1b[?2026h\x1b[?25l';
const END = '\x1b[?25h\x1b[?2026l';
const ERASE_LINE_END = '\x1b[K';
const ERASE_BELOW = '\x1b[J';

/** What a text shows, without its colours. */
const plainOf = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, '');

/** Rows on a terminal that are drawn over, below lines that scroll by. */
export class Drawing {
  readonly #output: Output;
  #scrolled: string[] = [];
  #drawn: readonly string[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  /** Lines that scroll by with the next frame, and stay. */
  say(text: string): void {
    this.#scrolled.push(...text.split('\n'));
  }

  /** Draws these rows in the place of those before, in one write; nothing where nothing has changed. */
  draw(rows: readonly string[]): void {
    const same = rows.length === this.#drawn.length && rows.every((row, i) => row === this.#drawn[i]);
    if (this.#scrolled.length > 0 || !same) this.#replace(rows);
  }

  /** Takes the rows away; what has scrolled by stays. */
  end(): void {
    if (this.#drawn.length > 0 || this.#scrolled.length > 0) this.#replace([]);
  }

  /** How many rows those that are drawn take now: one that was drawn on a wider terminal has been broken. */
  #height(columns: number): number {
    return this.#drawn.reduce(
      (sum, row) => sum + Math.max(1, Math.ceil(displayWidth(plainOf(row)) / columns)),
      0,
    );
  }

  #replace(rows: readonly string[]): void {
    const columns = Math.max(1, this.#output.columns ?? 80);
    const up = Math.min(this.#height(columns), Math.max(0, (this.#output.rows ?? 24) - 1));
    const text = [...this.#scrolled, ...rows].map((row) => `${row}${ERASE_LINE_END}\n`).join('');
    this.#output.write(`${BEGIN}\r${up > 0 ? `\x1b[${up}A` : ''}${text}${ERASE_BELOW}${END}`);
    this.#scrolled = [];
    this.#drawn = rows;
  }
}
