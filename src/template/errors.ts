/** One error in a template or in its rendering, as plain data. */
export interface TemplateProblem {
  /** The name of the source file. */
  readonly template: string;
  /** Starts at 1. */
  readonly line: number;
  /** Starts at 1, in UTF-16 units. */
  readonly column: number;
  /** What is wrong: one sentence without a final full stop. */
  readonly reason: string;
  /** The expression that failed, shortened if it is long. */
  readonly expression?: string;
  /** How to fix it. */
  readonly hint?: string;
  /** The calls that led to the failing template, innermost first. */
  readonly via?: readonly CallSite[];
}

/** A `template`, `block` or `include` action that called another template. */
export interface CallSite {
  readonly template: string;
  readonly line: number;
  readonly column: number;
  /** The name of the called template. */
  readonly name: string;
}

/** Thrown if a template cannot be parsed or rendered. Its fields are those of the first problem. */
export class TemplateError extends Error implements TemplateProblem {
  override readonly name = 'TemplateError';
  readonly template: string;
  readonly line: number;
  readonly column: number;
  readonly reason: string;
  readonly expression?: string;
  readonly hint?: string;
  readonly via?: readonly CallSite[];
  /** All problems, sorted by place; at least one. */
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

/** A template file: its name, its text and an index of its lines, which is built at first use. */
export class SourceText {
  readonly name: string;
  readonly text: string;
  #lines: number[] | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  /** Line and column of an offset. Both start at 1. */
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
