import type { Output } from '../context.ts';

// The terminal shows what is between these at once. The cursor is away only in between: whatever ends
// this program, it is back.
const BEGIN = '\x1b[?2026h\x1b[?25l';
const END = '\x1b[?25h\x1b[?2026l';
const ERASE_LINE_END = '\x1b[K';
const ERASE_BELOW = '\x1b[J';
const SAVE = '\x1b7';
const RESTORE = '\x1b8';

/** Rows on a terminal that are drawn over, below lines that scroll by. */
export class Drawing {
  readonly #output: Output;
  #scrolled: string[] = [];
  #drawn: readonly string[] = [];
  /** The terminal's size when they were drawn. */
  #sizeThen: string;

  constructor(output: Output) {
    this.#output = output;
    this.#sizeThen = this.#size;
  }

  /** Lines that scroll by with the next frame, and stay. */
  say(text: string): void {
    this.#scrolled.push(...text.split('\n'));
  }

  /** Draws these rows in the place of those before, in one write; nothing where nothing has changed. */
  draw(rows: readonly string[]): void {
    const same =
      this.#size === this.#sizeThen &&
      rows.length === this.#drawn.length &&
      rows.every((row, i) => row === this.#drawn[i]);
    if (this.#scrolled.length > 0 || !same) this.#replace(rows);
  }

  /** Takes the rows away until they are drawn the next time; what has scrolled by stays. */
  end(): void {
    if (this.#drawn.length > 0 || this.#scrolled.length > 0) this.#replace([]);
  }

  get #size(): string {
    return `${this.#output.columns}x${this.#output.rows}`;
  }

  // The cursor stays in front of the rows. A terminal that gets smaller then cuts off the rows below it,
  // which are drawn again, instead of moving them into its history. Characters of keys that are pressed are
  // drawn over.
  #replace(rows: readonly string[]): void {
    // What a terminal remembers does not move with its lines when its size changes.
    const begin = this.#drawn.length > 0 && this.#size === this.#sizeThen ? `${RESTORE}\r` : '\r';
    const text = [...this.#scrolled, ...rows].map((row) => `${row}${ERASE_LINE_END}\n`).join('');
    const back = rows.length > 0 ? `\x1b[${rows.length}A${SAVE}` : '';
    this.#output.write(`${BEGIN}${begin}${text}${ERASE_BELOW}${back}${END}`);
    this.#scrolled = [];
    this.#drawn = rows;
    this.#sizeThen = this.#size;
  }
}
