import { nearest } from '../diagnostic/index.ts';
import type { Command, Operand, Pipeline, Span } from './ast.ts';
import type { Token, TokenType } from './lexer.ts';
import { parseNumber, unquote } from './literals.ts';
import { ParseFailure, TokenReader } from './reader.ts';
import { Complex, type GoFunction, type Maybe } from './value.ts';

/** The functions that templates can call, and the well-known ones that they cannot. */
export interface FunctionTable {
  readonly functions: ReadonlyMap<string, GoFunction>;
  /** Names of functions that are deliberately not supported, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
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

/** Parses the contents of actions: pipelines, commands, operands. */
export class ExpressionReader extends TokenReader {
  readonly table: FunctionTable;
  /** Variables in scope, the latest last. */
  protected variables: string[] = ['$'];
  /** Variables read since this set was last cleared. */
  protected reads = new Set<string>();

  constructor(name: string, text: string, table: FunctionTable) {
    super(name, text);
    this.table = table;
  }

  protected pipeline(where: string, end: 'right' | ')'): Pipeline {
    this.skipSpace();
    const start = this.peek().start;
    const { variables, assigns } = this.#declarations(where);
    const commands: Command[] = [];
    for (;;) {
      const token = this.nextWord();
      if (token.type === end) break;
      if (!OPERANDS.has(token.type)) this.unexpected(token, where);
      this.at--;
      const command = this.#command();
      if (commands.length > 0 && /^(bool|dot|nil|number|string)$/.test(command.first.kind)) {
        this.fail(token, `${JSON.stringify(token.text)} is not a function, so no value can be piped into it`);
      }
      commands.push(command);
    }
    if (commands.length === 0) this.fail(this.tokens[this.at - 1] ?? this.peek(), `${where} needs a value`);
    const last = commands[commands.length - 1]?.end ?? start;
    return { kind: 'pipeline', source: this.source, start, end: last, commands, variables, assigns };
  }

  #declarations(where: string): { variables: string[]; assigns: boolean } {
    const variables: string[] = [];
    for (;;) {
      this.skipSpace();
      const back = this.at;
      const variable = this.peek();
      if (variable.type !== 'variable') return { variables, assigns: false };
      this.at++;
      const operator = this.nextWord();
      const comma = operator.type === 'char' && operator.text === ',';
      if (operator.type === 'assign' || operator.type === 'declare') {
        this.#declare(variable.text, variables);
        return { variables, assigns: operator.type === 'assign' };
      }
      if (!comma) {
        this.at = back;
        return { variables, assigns: false };
      }
      this.#declare(variable.text, variables);
      if (where !== '{{range}}' || variables.length > 1) {
        this.fail(
          variable,
          `${where} can declare at most ${where === '{{range}}' ? 'two variables' : 'one variable'}`,
        );
      }
      this.skipSpace();
      if (!['variable', 'right', ')'].includes(this.peek().type)) {
        this.fail(this.peek(), 'expected a second variable after the comma');
      }
    }
  }

  #declare(name: string, variables: string[]): void {
    variables.push(name);
    this.variables.push(name);
  }

  #command(): Command {
    this.skipSpace();
    const start = this.peek().start;
    const operands: Operand[] = [];
    for (;;) {
      this.skipSpace();
      const operand = this.#operand();
      if (operand !== undefined) operands.push(operand);
      const token = this.next();
      if (token.type === 'space') continue;
      if (token.type === 'right' || token.type === ')') this.at--;
      else if (token.type !== 'pipe') this.unexpected(token, 'a command');
      const [first, ...args] = operands;
      if (first === undefined) this.fail(token, 'expected a command between the | signs');
      const last = operands[operands.length - 1] ?? first;
      return { source: this.source, start, end: last.end, first, args };
    }
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.peek().type !== 'field') return term;
    const fields: string[] = [];
    while (this.peek().type === 'field') fields.push(this.next().text.slice(1));
    const span = this.span(term.start);
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
        throw new ParseFailure(this.problem(term.start, 'a constant has no fields'));
    }
  }

  #term(): Operand | undefined {
    const token = this.next();
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
        if (!this.variables.includes(token.text)) this.#unknownVariable(token);
        if (token.text !== '$') this.reads.add(token.text);
        return { kind: 'variable', ...span, name: token.text, fields: [] };
      case 'number':
      case 'rune':
      case 'complex':
        return this.#number(token, token.type, span);
      case 'string':
      case 'raw': {
        const text = unquote(token.text);
        if (text === undefined) this.fail(token, `${token.text} has an invalid escape sequence`);
        return { kind: 'string', ...span, text };
      }
      case '(':
        return this.nested(token, () => ({
          ...this.pipeline('parentheses', ')'),
          ...this.span(token.start),
        }));
      default:
        if (token.type !== 'eof') this.at--;
        return undefined;
    }
  }

  #number(token: Token, type: 'number' | 'rune' | 'complex', span: Span): Operand {
    const number = parseNumber(token.text, type);
    if (typeof number === 'string') this.fail(token, number);
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
    if (refused !== undefined) this.fail(token, `function ${token.text} is not supported: ${refused}`);
    const near = nearest(token.text, this.table.functions.keys());
    this.fail(
      token,
      `unknown function ${JSON.stringify(token.text)}`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }

  #unknownVariable(token: Token): never {
    const near = nearest(token.text, this.variables);
    this.fail(
      token,
      `undefined variable ${token.text}`,
      near === undefined || near === '$' ? undefined : `did you mean ${near}?`,
    );
  }
}
