import { argumentOf, literalArgument } from './arguments.ts';
import type {
  Command,
  ConditionStatement,
  Definition,
  Fields,
  Operand,
  Pipeline,
  RangeStatement,
  Span,
  Statement,
  TemplateStatement,
} from './ast.ts';
import { TemplateError } from './errors.ts';
import { print } from './fmt/print.ts';
import { callSites, expressionText, type Frame, Output } from './output.ts';
import {
  type Context,
  entriesOf,
  Failure,
  fail,
  type GoFunction,
  GoObject,
  isTrue,
  itemsOf,
  type Maybe,
  type ParamType,
  Sized,
  sortedKeys,
  TextMap,
  typeOf,
} from './value.ts';

/** Bounds of one rendering; going beyond one of them is an error at the place that did it. */
export interface Limits {
  /** How deep `template` and `include` may nest. */
  readonly depth: number;
  /** Characters of output, and of any one value that functions make. */
  readonly output: number;
  readonly milliseconds: number;
}

/** What rendering needs besides template and data. */
export interface Surroundings {
  readonly env: ReadonlyMap<string, string>;
  readonly now: (() => bigint) | undefined;
  readonly limits: Limits;
  /** Called once for each place whose output is not the same every time. */
  readonly warn: (site: Span, frame: Frame, reason: string) => void;
}

/** Stands for the final argument of a command that nothing is piped into. */
const MISSING = Symbol('missing');
type Final = Maybe | typeof MISSING;

const Flows = { go: 0, break: 1, continue: 2 } as const;
type Flow = (typeof Flows)[keyof typeof Flows];

/** Steps between two looks at the clock. */
const STEPS = 1024;

/** Renders definitions into an output; made anew for each rendering. */
export class Renderer implements Context {
  readonly env: ReadonlyMap<string, string>;
  output = new Output();
  readonly #definitions: (name: string) => Definition | undefined;
  readonly #surroundings: Surroundings;
  #frame: Frame;
  #names: string[] = ['$'];
  #values: Maybe[];
  #depth = 0;
  #steps = 0;
  #deadline: number;
  /** The command or statement that is at work. */
  #site: Span | undefined;
  /** The latest include, to recognise its text when it is printed unchanged. */
  #included: Output | undefined;

  constructor(
    definitions: (name: string) => Definition | undefined,
    data: Maybe,
    surroundings: Surroundings,
  ) {
    this.#definitions = definitions;
    this.#surroundings = surroundings;
    this.env = surroundings.env;
    this.#frame = { root: data, site: undefined, name: '', parent: undefined };
    this.#values = [data];
    this.#deadline = performance.now() + surroundings.limits.milliseconds;
  }

  /** Renders a definition as the main one. */
  run(definition: Definition): void {
    try {
      this.#list(definition.body, this.#frame.root);
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      const span = this.#site ?? {
        source: definition.source,
        start: definition.start,
        end: definition.start,
      };
      if (error instanceof RangeError) this.#error(span, 'this nests deeper than can be rendered');
      throw error;
    }
  }

  #error(span: Span, reason: string, hint?: string): never {
    const via = callSites(this.#frame);
    throw new TemplateError({
      template: span.source.name,
      ...span.source.position(span.start),
      reason,
      expression: expressionText(span),
      ...(hint === undefined ? {} : { hint }),
      ...(via.length > 0 ? { via } : {}),
    });
  }

  #step(span: Span): void {
    if (++this.#steps % STEPS === 0 && performance.now() > this.#deadline) {
      this.#error(span, `rendering takes longer than ${this.#surroundings.limits.milliseconds} ms`);
    }
  }

  reserve(size: number | bigint): void {
    const { output } = this.#surroundings.limits;
    if (size > output)
      fail(`this makes a value of ${size} characters or elements, and ${output} is the limit`);
  }

  now(): bigint {
    const { now, warn } = this.#surroundings;
    if (now === undefined) fail('the time is not available here');
    if (this.#site !== undefined)
      warn(this.#site, this.#frame, 'the output depends on the time of rendering');
    return now();
  }

  include(name: string, data: Maybe): string {
    const definition = this.#definitions(name);
    if (definition === undefined) fail(`there is no template ${JSON.stringify(name)}`);
    const outer = this.output;
    const inner = new Output();
    this.output = inner;
    const site = this.#site;
    this.#call(definition, data ?? undefined, site ?? { source: definition.source, start: 0, end: 0 });
    this.#site = site;
    this.output = outer;
    this.#included = inner;
    return inner.text;
  }

  #call(definition: Definition, data: Maybe, site: Span): void {
    const { depth } = this.#surroundings.limits;
    if (this.#depth >= depth) this.#error(site, `templates call each other more than ${depth} levels deep`);
    const frame = this.#frame;
    const names = this.#names;
    const values = this.#values;
    this.#frame = { root: data, site, name: definition.name, parent: frame };
    this.#names = ['$'];
    this.#values = [data];
    this.#depth++;
    this.#list(definition.body, data);
    this.#depth--;
    this.#frame = frame;
    this.#names = names;
    this.#values = values;
  }

  #room(span: Span, more: number): void {
    const { output } = this.#surroundings.limits;
    if (this.output.text.length + more > output)
      this.#error(span, `the output is longer than ${output} characters`);
  }

  #list(statements: readonly Statement[], dot: Maybe): Flow {
    for (const statement of statements) {
      const flow = this.#statement(statement, dot);
      if (flow !== Flows.go) return flow;
    }
    return Flows.go;
  }

  #statement(statement: Statement, dot: Maybe): Flow {
    switch (statement.kind) {
      case 'text':
        this.#room(statement, statement.text.length);
        this.output.copy(statement.text, statement, this.#frame);
        return Flows.go;
      case 'action': {
        this.#step(statement);
        const value = this.#pipeline(statement.pipeline, dot);
        if (statement.pipeline.variables.length > 0) return Flows.go;
        const text = value === undefined || value === null ? '<no value>' : print(value);
        this.#room(statement, text.length);
        if (this.#included !== undefined && this.#included.text === text && text !== '') {
          this.output.splice(this.#included);
        } else {
          const { reads } = statement;
          const variables =
            reads.length === 0 ? [] : reads.map((name) => this.#values[this.#names.lastIndexOf(name)]);
          this.output.print(text, statement, this.#frame, dot, variables);
        }
        return Flows.go;
      }
      case 'if':
      case 'with':
        return this.#condition(statement, dot);
      case 'range':
        return this.#range(statement, dot);
      case 'template':
        this.#template(statement, dot);
        return Flows.go;
      default:
        return Flows[statement.kind];
    }
  }

  #condition(statement: ConditionStatement, dot: Maybe): Flow {
    const mark = this.#names.length;
    const value = this.#pipeline(statement.pipeline, dot);
    let flow: Flow = Flows.go;
    if (isTrue(value)) flow = this.#list(statement.body, statement.kind === 'with' ? value : dot);
    else if (statement.otherwise !== undefined) flow = this.#list(statement.otherwise, dot);
    this.#pop(mark);
    return flow;
  }

  #template(statement: TemplateStatement, dot: Maybe): void {
    this.#step(statement);
    const definition = this.#definitions(statement.name);
    if (definition === undefined) {
      this.#error(statement, `there is no template ${JSON.stringify(statement.name)}`);
    }
    const data = statement.pipeline === undefined ? undefined : this.#pipeline(statement.pipeline, dot);
    this.#site = statement;
    this.#call(definition, data, statement);
  }

  #range(statement: RangeStatement, dot: Maybe): Flow {
    const outer = this.#names.length;
    const value = this.#pipeline(statement.pipeline, dot);
    const flow = this.#iterate(statement, value);
    if (flow === undefined && statement.otherwise !== undefined) {
      const result = this.#list(statement.otherwise, dot);
      this.#pop(outer);
      return result;
    }
    this.#pop(outer);
    return Flows.go;
  }

  /** Runs the body for each element; undefined where there was none. */
  #iterate(statement: RangeStatement, value: Maybe): true | undefined {
    if (value === undefined || value === null) return undefined;
    const items = itemsOf(value);
    let some: true | undefined;
    if (items !== undefined) {
      for (let i = 0; i < items.length; i++) {
        some = true;
        if (this.#iteration(statement, BigInt(i), items[i] ?? null) === Flows.break) break;
      }
      return some;
    }
    const entries = entriesOf(value);
    if (entries !== undefined) {
      const sorted = sortedKeys(entries).map((key) => [key, entries.get(key) ?? null] as const);
      for (const [key, element] of sorted) {
        some = true;
        if (this.#iteration(statement, key, element) === Flows.break) break;
      }
      return some;
    }
    if (typeof value !== 'bigint' && !(value instanceof Sized)) {
      this.#error(statement.pipeline, `a value of type ${typeOf(value)} has no elements to range over`);
    }
    if (statement.pipeline.variables.length > 1) {
      this.#error(statement.pipeline, 'ranging over a number gives one variable only');
    }
    const end = typeof value === 'bigint' ? value : value.value;
    for (let i = 0n; i < end; i++) {
      some = true;
      const element = typeof value === 'bigint' ? i : new Sized(value.kind, i, value.named);
      if (this.#iteration(statement, undefined, element) === Flows.break) break;
    }
    return some;
  }

  #iteration(statement: RangeStatement, index: Maybe, element: Maybe): Flow {
    this.#step(statement);
    const { variables, assigns } = statement.pipeline;
    const mark = this.#names.length;
    const [first, second] = variables;
    if (assigns) {
      if (first !== undefined)
        this.#assign(statement.pipeline, first, second === undefined ? element : index);
      if (second !== undefined) this.#assign(statement.pipeline, second, element);
    } else if (first !== undefined) {
      this.#values[mark - 1] = element;
      if (second !== undefined) this.#values[mark - 2] = index;
    }
    const flow = this.#list(statement.body, element);
    this.#pop(mark);
    return flow;
  }

  #pop(mark: number): void {
    this.#names.length = mark;
    this.#values.length = mark;
  }

  #assign(span: Span, name: string, value: Maybe): void {
    const at = this.#names.lastIndexOf(name);
    if (at < 0)
      this.#error(span, `the variable ${name} is not declared here`, `declare it with ${name} := first`);
    this.#values[at] = value;
  }

  #pipeline(pipeline: Pipeline, dot: Maybe): Maybe {
    let value: Final = MISSING;
    for (const command of pipeline.commands) {
      const result: Maybe = this.#command(command, dot, value);
      value = result === null ? undefined : result;
    }
    const result = value === MISSING ? undefined : value;
    for (const name of pipeline.variables) {
      if (pipeline.assigns) this.#assign(pipeline, name, result);
      else {
        this.#names.push(name);
        this.#values.push(result);
      }
    }
    return result;
  }

  #command(command: Command, dot: Maybe, final: Final): Maybe {
    const { first, args } = command;
    switch (first.kind) {
      case 'function':
        return this.#function(first.fn, first.name, command, args, dot, final);
      case 'field':
        return this.#fields(dot, first.fields, command, args, dot, final);
      case 'variable':
        return this.#variable(first.name, first.fields, command, args, dot, final);
      case 'chain':
        return this.#fields(this.#operand(first.of, dot), first.fields, command, args, dot, final);
      case 'nil':
        return this.#error(command, 'nil stands for no value, and is no command');
    }
    if (args.length > 0 || final !== MISSING) {
      this.#error(command, `${expressionText(first)} is no function, and takes no arguments`);
    }
    return this.#operand(first, dot);
  }

  #variable(
    name: string,
    fields: Fields,
    span: Span,
    args: readonly Operand[],
    dot: Maybe,
    final: Final,
  ): Maybe {
    const at = this.#names.lastIndexOf(name);
    if (at < 0) this.#error(span, `the variable ${name} is not declared here`);
    const value = this.#values[at];
    if (fields.length > 0) return this.#fields(value, fields, span, args, dot, final);
    if (args.length > 0 || final !== MISSING)
      this.#error(span, `${name} is no function, and takes no arguments`);
    return value;
  }

  /** The value of an operand where any type will do. */
  #operand(operand: Operand, dot: Maybe): Maybe {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'string':
        return operand.text;
      case 'bool':
        return operand.value;
      case 'number':
        if (operand.ideal === undefined) this.#error(operand, 'this number does not fit an int of 64 bits');
        return operand.ideal;
      case 'field':
        return this.#fields(dot, operand.fields, operand, [], dot, MISSING);
      case 'variable':
        return this.#variable(operand.name, operand.fields, operand, [], dot, MISSING);
      case 'pipeline':
        return this.#pipeline(operand, dot);
      case 'function':
        return this.#function(operand.fn, operand.name, operand, [], dot, MISSING);
      case 'chain':
        return this.#fields(this.#operand(operand.of, dot), operand.fields, operand, [], dot, MISSING);
      case 'nil':
        return undefined;
    }
  }

  #fields(
    receiver: Maybe,
    fields: Fields,
    span: Span,
    args: readonly Operand[],
    dot: Maybe,
    final: Final,
  ): Maybe {
    let value = receiver;
    const last = fields.length - 1;
    for (let i = 0; i <= last; i++) {
      const plain = i < last || (args.length === 0 && final === MISSING);
      value = this.#field(value, fields[i] ?? '', span, plain ? undefined : { args, final }, dot);
    }
    return value;
  }

  #field(
    receiver: Maybe,
    name: string,
    span: Span,
    given: { args: readonly Operand[]; final: Final } | undefined,
    dot: Maybe,
  ): Maybe {
    if (receiver === undefined) return undefined;
    if (receiver === null) {
      this.#error(
        span,
        `there is no value that could have a field ${name}`,
        'guard it with if, with or default',
      );
    }
    let method: GoFunction | undefined;
    if (receiver instanceof GoObject) method = receiver.method(name);
    else if (receiver instanceof Sized) method = receiver.named?.method(name, receiver.value);
    if (method !== undefined) {
      return this.#function(
        method,
        name,
        span,
        given?.args ?? [],
        dot,
        given === undefined ? MISSING : given.final,
      );
    }
    const entries = entriesOf(receiver);
    if (entries === undefined) {
      this.#error(span, `a value of type ${typeOf(receiver)} has no field ${name}`);
    }
    if (given !== undefined) this.#error(span, `${name} is a field, and takes no arguments`);
    return entries.get(name) ?? (receiver instanceof TextMap ? '' : null);
  }

  #function(
    fn: GoFunction,
    name: string,
    span: Span,
    args: readonly Operand[],
    dot: Maybe,
    final: Final,
  ): Maybe {
    const { params, rest } = fn;
    const given = args.length + (final === MISSING ? 0 : 1);
    if (rest === undefined ? given !== params.length : given < params.length) {
      const wanted = `${rest === undefined ? '' : 'at least '}${params.length}`;
      this.#error(span, `${name} takes ${wanted} argument${params.length === 1 ? '' : 's'}, not ${given}`);
    }
    if (name === 'and' || name === 'or') return this.#logic(name, args, dot, final);
    const values: Maybe[] = [];
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if (arg !== undefined) values.push(this.#argument(arg, params[i] ?? rest ?? 'any', dot));
    }
    if (final !== MISSING) {
      values.push(this.#typed(final, params[values.length] ?? rest ?? 'any', span));
    }
    this.#site = span;
    try {
      return fn.call(values, this);
    } catch (error) {
      if (error instanceof Failure) this.#error(span, error.message);
      if (error instanceof RangeError && !/stack/i.test(error.message)) {
        this.#error(span, `${name} makes a value that is too large`);
      }
      throw error;
    }
  }

  /** `and` and `or`, which evaluate no more arguments than they need. */
  #logic(name: 'and' | 'or', args: readonly Operand[], dot: Maybe, final: Final): Maybe {
    let value: Maybe;
    for (const arg of args) {
      value = this.#argument(arg, 'value', dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return final === MISSING ? value : final;
  }

  #argument(operand: Operand, type: ParamType, dot: Maybe): Maybe {
    switch (operand.kind) {
      case 'string':
      case 'bool':
      case 'number':
      case 'nil':
        try {
          return literalArgument(operand, type);
        } catch (error) {
          if (error instanceof Failure) this.#error(operand, error.message);
          throw error;
        }
      default:
        return this.#typed(this.#operand(operand, dot), type, operand);
    }
  }

  #typed(value: Maybe, type: ParamType, span: Span): Maybe {
    if (type === 'value') return value;
    if (type === 'any') return value ?? null;
    try {
      return argumentOf(value, type);
    } catch (error) {
      if (error instanceof Failure) this.#error(span, error.message);
      throw error;
    }
  }
}
