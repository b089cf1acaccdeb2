import type { Span } from './ast.ts';
import { SourceText, type TemplateProblem } from './errors.ts';
import { type Token, tokenize } from './lexer.ts';

/** Maximum nesting of parentheses and blocks, so that parsing cannot overflow the call stack. */
const MAX_NESTING = 500;

/** Maximum number of errors reported for one file. */
const MAX_PROBLEMS = 100;

/** A parse error inside an action. Parsing continues after the action. */
export class ParseFailure extends Error {
  readonly problem: TemplateProblem;
  constructor(problem: TemplateProblem) {
    super(problem.reason);
    this.problem = problem;
  }
}

/** Reads the tokens of a file and collects errors. */
export class TokenReader {
  readonly source: SourceText;
  readonly tokens: readonly Token[];
  readonly problems: TemplateProblem[] = [];
  protected at = 0;
  protected nesting = 0;
  #stopped = false;

  constructor(name: string, text: string) {
    this.source = new SourceText(name, text);
    this.tokens = tokenize(text).filter((t) => t.type !== 'comment' && t.type !== 'trimmed');
  }

  protected peek(): Token {
    return this.tokens[this.at] ?? { type: 'eof', start: this.source.text.length, text: '' };
  }

  protected next(): Token {
    const token = this.peek();
    if (token.type !== 'eof') this.at++;
    return token;
  }

  protected skipSpace(): void {
    while (this.peek().type === 'space') this.at++;
  }

  protected nextWord(): Token {
    this.skipSpace();
    return this.next();
  }

  protected span(start: number): Span {
    let last = this.at - 1;
    while (last > 0 && this.tokens[last]?.type === 'space') last--;
    const token = this.tokens[last];
    return { source: this.source, start, end: token === undefined ? start : token.start + token.text.length };
  }

  protected problem(at: number, reason: string, hint?: string, expression?: string): TemplateProblem {
    return {
      template: this.source.name,
      ...this.source.position(at),
      reason,
      ...(expression === undefined ? {} : { expression }),
      ...(hint === undefined ? {} : { hint }),
    };
  }

  protected fail(token: Token, reason: string, hint?: string): never {
    throw new ParseFailure(this.problem(token.at ?? token.start, reason, hint));
  }

  protected unexpected(token: Token, where: string): never {
    if (token.type === 'error') this.fail(token, token.reason ?? 'invalid syntax');
    if (token.type === 'eof') this.fail(token, `unexpected end of the template in ${where}`);
    const text = token.type === 'right' ? 'the end of the action' : JSON.stringify(token.text);
    this.fail(token, `unexpected ${text} in ${where}`);
  }

  /** Records a problem, unless parsing was stopped. */
  protected note(problem: TemplateProblem): void {
    if (this.#stopped) return;
    this.problems.push(problem);
    if (this.problems.length >= MAX_PROBLEMS) this.#stop();
  }

  /** Stops parsing; the problems found so far are enough. */
  #stop(): void {
    this.#stopped = true;
    this.at = this.tokens.length;
  }

  /** Runs a step inside an action. An error is recorded, and parsing continues after the action. */
  protected guarded<T>(step: () => T): T | undefined {
    const { nesting } = this;
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ParseFailure)) throw error;
      this.nesting = nesting;
      this.note(error.problem);
      if (this.tokens[this.at - 1]?.type !== 'right') {
        while (this.peek().type !== 'right' && this.peek().type !== 'eof') this.at++;
        if (this.peek().type === 'right') this.at++;
      }
      return undefined;
    }
  }

  protected expectRight(where: string): void {
    const token = this.nextWord();
    if (token.type !== 'right') this.unexpected(token, where);
  }

  protected nested<T>(token: Token, step: () => T): T {
    if (++this.nesting > MAX_NESTING) {
      this.note(this.problem(token.start, `nesting exceeds ${MAX_NESTING} levels`));
      this.#stop();
    }
    const result = step();
    this.nesting--;
    return result;
  }
}
