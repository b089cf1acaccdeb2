import { nearest } from '../diagnostic/index.ts';
import type { Command, Definition, Operand, Pipeline, Span, Statement } from './ast.ts';
import { isEmpty } from './ast.ts';
import { Source, TemplateError, type TemplateProblem } from './errors.ts';
import { type Token, type TokenType, tokenize } from './lexer.ts';
import { parseNumber, unquote } from './literals.ts';
import { Complex, type GoFunction, type Maybe } from './value.ts';

/** Nesting of parentheses and blocks beyond which a template is refused, so that reading it cannot exhaust the stack. */
const MAX_NESTING = 500;

/** The functions that templates may call, and why others that people know cannot be. */
export interface FunctionTable {
  readonly functions: ReadonlyMap<string, GoFunction>;
  /** Names of functions that are left out, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}

class Unparsable extends Error {
  readonly problem: TemplateProblem;
  constructor(problem: TemplateProblem) {
    super(problem.reason);
    this.problem = problem;
  }
}

const OPERANDS: ReadonlySet<TokenType> = new Set<TokenType>([
  'bool',
  'rune',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'raw',
  'string',
  'variable',
  '(',
]);

type Terminator = { readonly word: 'end' | 'else'; readonly token: Token };

class Parser {
  readonly source: Source;
  readonly table: FunctionTable;
  readonly tokens: readonly Token[];
  readonly definitions = new Map<string, Definition>();
  readonly problems: TemplateProblem[] = [];
  #at = 0;
  #variables: string[] = ['$'];
  #reads = new Set<string>();
  #ranges = 0;
  #nesting = 0;

  constructor(source: Source, table: FunctionTable) {
    this.source = source;
    this.table = table;
    this.tokens = tokenize(source.text).filter((t) => t.type !== 'comment' && t.type !== 'trimmed');
  }

  #peek(): Token {
    return this.tokens[this.#at] ?? { type: 'eof', start: this.source.text.length, text: '' };
  }

  #next(): Token {
    const token = this.#peek();
    if (token.type !== 'eof') this.#at++;
    return token;
  }

  #skipSpace(): void {
    while (this.#peek().type === 'space') this.#at++;
  }

  #nextWord(): Token {
    this.#skipSpace();
    return this.#next();
  }

  #span(start: number): Span {
    let last = this.#at - 1;
    while (last > 0 && this.tokens[last]?.type === 'space') last--;
    const token = this.tokens[last];
    return { source: this.source, start, end: token === undefined ? start : token.start + token.text.length };
  }

  #problem(at: number, reason: string, hint?: string, expression?: string): TemplateProblem {
    return {
      template: this.source.name,
      ...this.source.position(at),
      reason,
      ...(expression === undefined ? {} : { expression }),
      ...(hint === undefined ? {} : { hint }),
    };
  }

  #fail(token: Token, reason: string, hint?: string): never {
    throw new Unparsable(this.#problem(token.at ?? token.start, reason, hint));
  }

  #unexpected(token: Token, where: string): never {
    if (token.type === 'error') this.#fail(token, token.reason ?? 'this cannot be read');
    if (token.type === 'eof') this.#fail(token, `the template ends inside of ${where}`);
    const text = token.type === 'right' ? 'the end of the action' : JSON.stringify(token.text);
    this.#fail(token, `${text} cannot stand in ${where}`);
  }

  /** Runs a step inside an action; a fault in it is noted, and reading goes on behind the action. */
  #guarded<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof Unparsable)) throw error;
      this.problems.push(error.problem);
      if (this.tokens[this.#at - 1]?.type !== 'right') {
        while (this.#peek().type !== 'right' && this.#peek().type !== 'eof') this.#at++;
        if (this.#peek().type === 'right') this.#at++;
      }
      return undefined;
    }
  }

  #expectRight(where: string): void {
    const token = this.#nextWord();
    if (token.type !== 'right') this.#unexpected(token, where);
  }

  parseFile(): void {
    const body: Statement[] = [];
    for (;;) {
      const end = this.#list(body, true);
      if (end === undefined) break;
      this.problems.push(
        this.#problem(
          end.token.start,
          `{{${end.word}}} without anything to ${end.word === 'end' ? 'end' : 'choose from'}`,
        ),
      );
    }
    this.#define({ name: '', source: this.source, start: 0, body }, 0);
  }

  #define(definition: Definition, at: number): void {
    const before = this.definitions.get(definition.name);
    if (before === undefined || isEmpty(before.body)) this.definitions.set(definition.name, definition);
    else if (!isEmpty(definition.body)) {
      const { line } = this.source.position(before.start);
      this.problems.push(
        this.#problem(
          at,
          `the template ${JSON.stringify(definition.name)} is defined twice, first in line ${line}`,
        ),
      );
    }
  }

  /** Statements up to an `end` or `else`, which is given back, or up to the end of the file. */
  #list(into: Statement[], top: boolean): Terminator | undefined {
    for (;;) {
      const token = this.#next();
      if (token.type === 'eof') return undefined;
      if (token.type === 'text') {
        const end = token.start + token.text.length;
        into.push({ kind: 'text', source: this.source, start: token.start, end, text: token.text });
      } else if (token.type === 'left') {
        const ended = this.#guarded(() => this.#action(token, into, top));
        if (ended !== undefined) return ended;
      } else if (token.type === 'error') {
        this.problems.push(this.#problem(token.at ?? token.start, token.reason ?? 'this cannot be read'));
      }
    }
  }

  #action(left: Token, into: Statement[], top: boolean): Terminator | undefined {
    this.#skipSpace();
    const word = this.#peek();
    const end = (): Span => this.#span(left.start);
    if (word.type !== 'keyword') {
      this.#reads = new Set();
      const pipeline = this.#pipeline('an action', 'right');
      into.push({ kind: 'action', ...end(), pipeline, reads: [...this.#reads] });
      return undefined;
    }
    this.#at++;
    switch (word.text) {
      case 'end':
        this.#expectRight('{{end}}');
        return { word: 'end', token: left };
      case 'else': {
        this.#skipSpace();
        const following = this.#peek();
        const chained =
          following.type === 'keyword' && (following.text === 'if' || following.text === 'with');
        if (!chained) this.#expectRight('{{else}}');
        return { word: 'else', token: left };
      }
      case 'break':
      case 'continue':
        this.#expectRight(`{{${word.text}}}`);
        if (this.#ranges === 0) this.#fail(left, `{{${word.text}}} outside of {{range}}`);
        into.push({ kind: word.text, ...end() });
        return undefined;
      case 'if':
      case 'with':
      case 'range':
        into.push(this.#control(word.text, left));
        return undefined;
      case 'template': {
        const name = this.#name('{{template}}');
        this.#skipSpace();
        const bare = this.#peek().type === 'right';
        if (bare) this.#at++;
        const pipeline = bare ? undefined : this.#pipeline('{{template}}', 'right');
        into.push({ kind: 'template', ...end(), name, pipeline });
        return undefined;
      }
      case 'block': {
        const name = this.#name('{{block}}');
        const pipeline = this.#pipeline('{{block}}', 'right');
        const span = end();
        this.#definition(name, left, '{{block}}');
        into.push({ kind: 'template', ...span, name, pipeline });
        return undefined;
      }
      default: {
        if (!top)
          this.#fail(word, '{{define}} can only stand at the top of a file, not inside of another block');
        const name = this.#name('{{define}}');
        this.#expectRight('{{define}}');
        this.#definition(name, left, '{{define}}');
        return undefined;
      }
    }
  }

  #name(where: string): string {
    const token = this.#nextWord();
    if (token.type !== 'string' && token.type !== 'raw') {
      if (token.type === 'error') this.#unexpected(token, where);
      this.#fail(token, `${where} needs a quoted name`);
    }
    return unquote(token.text) ?? this.#fail(token, `${token.text} has an escape that does not exist`);
  }

  #nested<T>(token: Token, step: () => T): T {
    if (++this.#nesting > MAX_NESTING) this.#fail(token, `more than ${MAX_NESTING} levels of nesting`);
    const result = step();
    this.#nesting--;
    return result;
  }

  /** The body of a `define` or `block`, which sees no variables of its surroundings. */
  #definition(name: string, left: Token, what: string): void {
    const outer = { variables: this.#variables, ranges: this.#ranges, nesting: this.#nesting };
    this.#variables = ['$'];
    this.#ranges = 0;
    const body: Statement[] = [];
    const ended = this.#nested(left, () => this.#list(body, false));
    this.#variables = outer.variables;
    this.#ranges = outer.ranges;
    this.#nesting = outer.nesting;
    if (ended === undefined) this.#fail(left, `${what} is never ended`);
    if (ended.word === 'else') this.#fail(ended.token, `{{else}} cannot stand in ${what}`);
    this.#define({ name, source: this.source, start: left.start, body }, left.start);
  }

  #control(kind: 'if' | 'with' | 'range', left: Token): Statement {
    const scope = this.#variables.length;
    const nesting = this.#nesting;
    try {
      return this.#nested(left, () => {
        // The body is read even when the head is faulty, so that its {{end}} finds its partner.
        const pipeline = this.#guarded(() => this.#pipeline(`{{${kind}}}`, 'right'));
        const span = this.#span(left.start);
        const body: Statement[] = [];
        if (kind === 'range') this.#ranges++;
        let ended = this.#list(body, false);
        if (kind === 'range') this.#ranges--;
        let otherwise: Statement[] | undefined;
        if (ended?.word === 'else') {
          otherwise = [];
          const following = this.#peek();
          if (following.type === 'keyword' && following.text === kind && kind !== 'range') {
            this.#at++;
            otherwise.push(this.#control(kind, ended.token));
            ended = { word: 'end', token: left };
          } else if (following.type === 'keyword' && this.tokens[this.#at - 1]?.type !== 'right') {
            this.#fail(following, `{{else ${following.text}}} cannot continue {{${kind}}}`);
          } else {
            ended = this.#list(otherwise, false);
            if (ended?.word === 'else') this.#fail(ended.token, `{{${kind}}} has an {{else}} already`);
          }
        }
        if (ended === undefined) {
          this.#fail(left, `{{${kind}}} is never ended`, 'add {{end}} where its block ends');
        }
        const empty = { kind: 'pipeline' as const, commands: [], variables: [], assigns: false, ...span };
        return { kind, ...span, pipeline: pipeline ?? empty, body, otherwise };
      });
    } finally {
      this.#variables.length = scope;
      this.#nesting = nesting;
    }
  }

  #pipeline(where: string, end: 'right' | ')'): Pipeline {
    this.#skipSpace();
    const start = this.#peek().start;
    const { variables, assigns } = this.#declarations(where);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#nextWord();
      if (token.type === end) break;
      if (!OPERANDS.has(token.type)) this.#unexpected(token, where);
      this.#at--;
      const command = this.#command();
      if (commands.length > 0 && /^(bool|dot|nil|number|string)$/.test(command.first.kind)) {
        this.#fail(token, `${JSON.stringify(token.text)} is no function, so nothing can be piped into it`);
      }
      commands.push(command);
    }
    if (commands.length === 0)
      this.#fail(this.tokens[this.#at - 1] ?? this.#peek(), `${where} needs a value`);
    const last = commands[commands.length - 1]?.end ?? start;
    return { kind: 'pipeline', source: this.source, start, end: last, commands, variables, assigns };
  }

  #declarations(where: string): { variables: string[]; assigns: boolean } {
    const variables: string[] = [];
    for (;;) {
      this.#skipSpace();
      const back = this.#at;
      const variable = this.#peek();
      if (variable.type !== 'variable') return { variables, assigns: false };
      this.#at++;
      const operator = this.#nextWord();
      const comma = operator.type === 'char' && operator.text === ',';
      if (operator.type === 'assign' || operator.type === 'declare') {
        this.#declare(variable.text, variables);
        return { variables, assigns: operator.type === 'assign' };
      }
      if (!comma) {
        this.#at = back;
        return { variables, assigns: false };
      }
      this.#declare(variable.text, variables);
      if (where !== '{{range}}' || variables.length > 1) {
        this.#fail(
          variable,
          `${where} can declare ${where === '{{range}}' ? 'two variables' : 'one variable'} at most`,
        );
      }
      this.#skipSpace();
      if (!['variable', 'right', ')'].includes(this.#peek().type)) {
        this.#fail(this.#peek(), 'after the comma there must be a second variable');
      }
    }
  }

  #declare(name: string, variables: string[]): void {
    variables.push(name);
    this.#variables.push(name);
  }

  #command(): Command {
    this.#skipSpace();
    const start = this.#peek().start;
    const operands: Operand[] = [];
    for (;;) {
      this.#skipSpace();
      const operand = this.#operand();
      if (operand !== undefined) operands.push(operand);
      const token = this.#next();
      if (token.type === 'space') continue;
      if (token.type === 'right' || token.type === ')') this.#at--;
      else if (token.type !== 'pipe') this.#unexpected(token, 'a command');
      const [first, ...args] = operands;
      if (first === undefined) this.#fail(token, 'there is no command between the bars');
      const last = operands[operands.length - 1] ?? first;
      return { source: this.source, start, end: last.end, first, args };
    }
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.#peek().type !== 'field') return term;
    const fields: string[] = [];
    while (this.#peek().type === 'field') fields.push(this.#next().text.slice(1));
    const span = this.#span(term.start);
    switch (term.kind) {
      case 'field':
        return { kind: 'field', ...span, fields: [...term.fields, ...fields] };
      case 'variable':
        return { kind: 'variable', ...span, name: term.name, fields: [...term.fields, ...fields] };
      case 'function':
      case 'pipeline':
      case 'chain':
        return { kind: 'chain', ...span, of: term, fields };
      default:
        throw new Unparsable(this.#problem(term.start, 'a field cannot follow a constant'));
    }
  }

  #term(): Operand | undefined {
    const token = this.#next();
    const span = { source: this.source, start: token.start, end: token.start + token.text.length };
    switch (token.type) {
      case 'identifier':
        return { kind: 'function', ...span, name: token.text, fn: this.#function(token) };
      case 'dot':
        return { kind: 'dot', ...span };
      case 'nil':
        return { kind: 'nil', ...span };
      case 'bool':
        return { kind: 'bool', ...span, value: token.text === 'true' };
      case 'field':
        return { kind: 'field', ...span, fields: [token.text.slice(1)] };
      case 'variable':
        if (!this.#variables.includes(token.text)) this.#unknownVariable(token);
        if (token.text !== '$') this.#reads.add(token.text);
        return { kind: 'variable', ...span, name: token.text, fields: [] };
      case 'number':
      case 'rune':
      case 'complex':
        return this.#number(token, token.type, span);
      case 'string':
      case 'raw': {
        const text = unquote(token.text);
        if (text === undefined) this.#fail(token, `${token.text} has an escape that does not exist`);
        return { kind: 'string', ...span, text };
      }
      case '(':
        return this.#nested(token, () => ({
          ...this.#pipeline('parentheses', ')'),
          ...this.#span(token.start),
        }));
      default:
        if (token.type !== 'eof') this.#at--;
        return undefined;
    }
  }

  #number(token: Token, type: 'number' | 'rune' | 'complex', span: Span): Operand {
    const number = parseNumber(token.text, type);
    if (typeof number === 'string') this.#fail(token, number);
    const { complex, float, int } = number;
    let ideal: Maybe = int;
    if (complex !== undefined) ideal = new Complex(complex.re, complex.im);
    else if (float !== undefined && type === 'number') {
      const hexInteger = /^0[xX]/.test(token.text) && !/[pP]/.test(token.text);
      if (!hexInteger && /[.eEpP]/.test(token.text)) ideal = float;
    }
    return { kind: 'number', ...span, number, ideal };
  }

  #function(token: Token): GoFunction {
    const found = this.table.functions.get(token.text);
    if (found !== undefined) return found;
    const refused = this.table.refused.get(token.text);
    if (refused !== undefined) this.#fail(token, `the function ${token.text} is left out: ${refused}`);
    const near = nearest(token.text, this.table.functions.keys());
    this.#fail(
      token,
      `there is no function ${JSON.stringify(token.text)}`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }

  #unknownVariable(token: Token): never {
    const near = nearest(token.text, this.#variables);
    this.#fail(
      token,
      `the variable ${token.text} is not declared here`,
      near === undefined || near === '$' ? undefined : `did you mean ${near}?`,
    );
  }
}

/**
 * Reads one file; its own text is the definition named "". Throws a TemplateError with every fault found.
 */
export function parseFile(name: string, text: string, table: FunctionTable): Map<string, Definition> {
  const parser = new Parser(new Source(name, text), table);
  parser.parseFile();
  const sorted = parser.problems.sort((a, b) => a.line - b.line || a.column - b.column);
  const [first, ...others] = sorted;
  if (first !== undefined) throw new TemplateError(first, ...others);
  return parser.definitions;
}
