/** One thing wrong in a template, or in rendering it, as plain data. */
export interface TemplateProblem {
  /** The file, as its source was named. */
  readonly template: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (UTF-16 units). */
  readonly column: number;
  /** What is wrong; a sentence without a final full stop. */
  readonly reason: string;
  /** The expression that failed, as written in short form. */
  readonly expression?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Where the template that failed was called from, innermost first. */
  readonly via?: readonly CallSite[];
}

/** A `template`, `block` or `include` that led somewhere. */
export interface CallSite {
  readonly template: string;
  readonly line: number;
  readonly column: number;
  /** The name of the template that is called there. */
  readonly name: string;
}

/** Thrown when a template cannot be parsed or rendered. The fields are those of the first problem. */
export class TemplateError extends Error implements TemplateProblem {
  override readonly name = 'TemplateError';
  readonly template: string;
  readonly line: number;
  readonly column: number;
  readonly reason: string;
  readonly expression?: string;
  readonly hint?: string;
  readonly via?: readonly CallSite[];
  /** All problems, in the order of their places; at least one. */
  readonly problems: readonly TemplateProblem[];

  constructor(first: TemplateProblem, ...others: TemplateProblem[]) {
    const of = first.expression === undefined ? '' : ` in ${first.expression}`;
    super(`${first.template}:${first.line}:${first.column}: ${first.reason}${of}`);
    this.problems = [first, ...others];
    this.template = first.template;
    this.line = first.line;
    this.column = first.column;
    this.reason = first.reason;
    if (first.expression !== undefined) this.expression = first.expression;
    if (first.hint !== undefined) this.hint = first.hint;
    if (first.via !== undefined) this.via = first.via;
  }
}

/** A template file: where it came from, and its text with a lazily made index of its lines. */
export class Source {
  readonly name: string;
  readonly text: string;
  #lines: number[] | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  /** The line and column, from 1, of an offset. */
  position(offset: number): { line: number; column: number } {
    if (this.#lines === undefined) {
      this.#lines = [0];
      for (let i = this.text.indexOf('\n'); i >= 0; i = this.text.indexOf('\n', i + 1))
        this.#lines.push(i + 1);
    }
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lines[low] ?? 0) + 1 };
  }
}
