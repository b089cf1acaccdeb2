import type { Span, Statement, TemplateDefinition } from './ast.ts';
import { isEmpty } from './ast.ts';
import { TemplateError } from './errors.ts';
import { ExpressionReader, type FunctionTable } from './expressions.ts';
import type { Token } from './lexer.ts';
import { unquote } from './literals.ts';

type Terminator = { readonly word: 'end' | 'else'; readonly token: Token };

/** Parses the structure of a file: text, actions, blocks, definitions. */
class Parser extends ExpressionReader {
  readonly definitions = new Map<string, TemplateDefinition>();
  #ranges = 0;

  parseFile(): void {
    const body: Statement[] = [];
    for (;;) {
      const end = this.#list(body, true);
      if (end === undefined) break;
      this.note(this.problem(end.token.start, `unexpected {{${end.word}}}: it belongs to no block`));
    }
    this.#define({ name: '', source: this.source, start: 0, body }, 0);
  }

  #define(definition: TemplateDefinition, at: number): void {
    const before = this.definitions.get(definition.name);
    if (before === undefined || isEmpty(before.body)) this.definitions.set(definition.name, definition);
    else if (!isEmpty(definition.body)) {
      const { line } = this.source.position(before.start);
      this.note(
        this.problem(at, `template ${JSON.stringify(definition.name)} is already defined in line ${line}`),
      );
    }
  }

  /** Parses statements up to an `end` or `else`, which is returned, or up to the end of the file. */
  #list(into: Statement[], top: boolean): Terminator | undefined {
    for (;;) {
      const token = this.next();
      if (token.type === 'eof') return undefined;
      if (token.type === 'text') {
        const end = token.start + token.text.length;
        into.push({ kind: 'text', source: this.source, start: token.start, end, text: token.text });
      } else if (token.type === 'left') {
        const ended = this.guarded(() => this.#action(token, into, top));
        if (ended !== undefined) return ended;
      } else if (token.type === 'error') {
        this.note(this.problem(token.at ?? token.start, token.reason ?? 'invalid syntax'));
      }
    }
  }

  #action(left: Token, into: Statement[], top: boolean): Terminator | undefined {
    this.skipSpace();
    const word = this.peek();
    const end = (): Span => this.span(left.start);
    if (word.type !== 'keyword') {
      this.reads = new Set();
      const pipeline = this.pipeline('an action', 'right');
      into.push({ kind: 'action', ...end(), pipeline, reads: [...this.reads] });
      return undefined;
    }
    this.at++;
    switch (word.text) {
      case 'end':
        this.expectRight('{{end}}');
        return { word: 'end', token: left };
      case 'else': {
        this.skipSpace();
        const following = this.peek();
        const chained =
          following.type === 'keyword' && (following.text === 'if' || following.text === 'with');
        if (!chained) this.expectRight('{{else}}');
        return { word: 'else', token: left };
      }
      case 'break':
      case 'continue':
        this.expectRight(`{{${word.text}}}`);
        if (this.#ranges === 0) this.fail(left, `{{${word.text}}} outside of {{range}}`);
        into.push({ kind: word.text, ...end() });
        return undefined;
      case 'if':
      case 'with':
      case 'range':
        into.push(this.#control(word.text, left));
        return undefined;
      case 'template': {
        const name = this.#name('{{template}}');
        this.skipSpace();
        const bare = this.peek().type === 'right';
        if (bare) this.at++;
        const pipeline = bare ? undefined : this.pipeline('{{template}}', 'right');
        into.push({ kind: 'template', ...end(), name, pipeline });
        return undefined;
      }
      case 'block': {
        const name = this.#name('{{block}}');
        const pipeline = this.pipeline('{{block}}', 'right');
        const span = end();
        this.#definition(name, left, '{{block}}');
        into.push({ kind: 'template', ...span, name, pipeline });
        return undefined;
      }
      default: {
        if (!top)
          this.fail(word, '{{define}} is only allowed at the top level of a file, not inside a block');
        const name = this.#name('{{define}}');
        this.expectRight('{{define}}');
        this.#definition(name, left, '{{define}}');
        return undefined;
      }
    }
  }

  #name(where: string): string {
    const token = this.nextWord();
    if (token.type !== 'string' && token.type !== 'raw') {
      if (token.type === 'error') this.unexpected(token, where);
      this.fail(token, `expected a quoted name in ${where}`);
    }
    return unquote(token.text) ?? this.fail(token, `${token.text} has an invalid escape sequence`);
  }

  /** Parses the body of a `define` or `block`. Variables from outside are not visible in it. */
  #definition(name: string, left: Token, what: string): void {
    const outer = { variables: this.variables, ranges: this.#ranges, nesting: this.nesting };
    this.variables = ['$'];
    this.#ranges = 0;
    const body: Statement[] = [];
    const ended = this.nested(left, () => this.#list(body, false));
    this.variables = outer.variables;
    this.#ranges = outer.ranges;
    this.nesting = outer.nesting;
    if (ended === undefined) this.fail(left, `missing {{end}} of ${what}`);
    if (ended.word === 'else') this.fail(ended.token, `unexpected {{else}} in ${what}`);
    this.#define({ name, source: this.source, start: left.start, body }, left.start);
  }

  #control(kind: 'if' | 'with' | 'range', left: Token): Statement {
    const scope = this.variables.length;
    const nesting = this.nesting;
    try {
      return this.nested(left, () => {
        // The body is parsed even if the head is invalid, so that its {{end}} is matched.
        const pipeline = this.guarded(() => this.pipeline(`{{${kind}}}`, 'right'));
        const span = this.span(left.start);
        const body: Statement[] = [];
        if (kind === 'range') this.#ranges++;
        let ended = this.#list(body, false);
        if (kind === 'range') this.#ranges--;
        let otherwise: Statement[] | undefined;
        if (ended?.word === 'else') {
          otherwise = [];
          const following = this.peek();
          if (following.type === 'keyword' && following.text === kind && kind !== 'range') {
            this.at++;
            otherwise.push(this.#control(kind, ended.token));
            ended = { word: 'end', token: left };
          } else if (following.type === 'keyword' && this.tokens[this.at - 1]?.type !== 'right') {
            this.fail(following, `{{else ${following.text}}} is not allowed after {{${kind}}}`);
          } else {
            ended = this.#list(otherwise, false);
            if (ended?.word === 'else') this.fail(ended.token, `{{${kind}}} already has an {{else}}`);
          }
        }
        if (ended === undefined) {
          this.fail(left, `missing {{end}} of {{${kind}}}`, 'add {{end}} at the end of its block');
        }
        const empty = { kind: 'pipeline' as const, commands: [], variables: [], assigns: false, ...span };
        return { kind, ...span, pipeline: pipeline ?? empty, body, otherwise };
      });
    } finally {
      this.variables.length = scope;
      this.nesting = nesting;
    }
  }
}

/**
 * Parses one file. The text outside definitions becomes the definition named "". Throws a TemplateError with
 * all errors.
 */
export function parseFile(name: string, text: string, table: FunctionTable): Map<string, TemplateDefinition> {
  const parser = new Parser(name, text, table);
  parser.parseFile();
  const [first, ...others] = parser.problems.sort((a, b) => a.line - b.line || a.column - b.column);
  if (first !== undefined) throw new TemplateError(first, ...others);
  return parser.definitions;
}
