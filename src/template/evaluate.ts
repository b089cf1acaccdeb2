import { argumentOf, literalArgument } from './arguments.ts';
import type { Command, FieldPath, Operand, Pipeline, Span } from './ast.ts';
import { TemplateError } from './errors.ts';
import { callSites, expressionText, type Frame, fileName, type MainFile } from './output.ts';
import {
  type Context,
  entriesOf,
  Failure,
  type GoFunction,
  GoObject,
  isTrue,
  itemsOf,
  type Maybe,
  type ParamType,
  Sized,
  TextMap,
  typeOf,
} from './value.ts';
import { textWork, work } from './work.ts';

/** Marks that no value is piped into a command. */
const MISSING = Symbol('missing');
type Final = Maybe | typeof MISSING;

/** Evaluates the contents of actions: pipelines, commands, operands. */
export abstract class Evaluator implements Context {
  abstract readonly env: ReadonlyMap<string, string>;
  abstract include(name: string, data: Maybe): string;
  abstract now(): bigint;
  abstract reserve(size: number | bigint): void;

  /** The definition being rendered, and the call that led to it. */
  protected frame: Frame;
  /** Names of the variables in scope, the latest last. `values` has their values. */
  protected names: string[] = ['$'];
  protected values: Maybe[];
  /** The command or statement being evaluated. */
  protected site: Span | undefined;

  /** Current nesting depth of statements and function calls. */
  protected depth = 0;
  protected readonly maxDepth: number;

  constructor(data: Maybe, main: MainFile, maxDepth: number) {
    this.maxDepth = maxDepth;
    this.frame = { root: data, site: undefined, name: '', parent: undefined, main };
    this.values = [data];
  }

  protected error(span: Span, reason: string, hint?: string): never {
    const via = callSites(this.frame);
    throw new TemplateError({
      template: fileName(span, this.frame),
      ...span.source.position(span.start),
      reason,
      expression: expressionText(span),
      ...(hint === undefined ? {} : { hint }),
      ...(via.length > 0 ? { via } : {}),
    });
  }

  protected tooDeep(span: Span): never {
    this.error(span, `nesting of blocks, templates and functions exceeds ${this.maxDepth} levels`);
  }

  protected pop(mark: number): void {
    // Assigning an array's length is slow even if the length does not change.
    if (this.names.length === mark) return;
    this.names.length = mark;
    this.values.length = mark;
  }

  protected assign(span: Span, name: string, value: Maybe): void {
    const at = this.names.lastIndexOf(name);
    if (at < 0) this.error(span, `undefined variable ${name}`, `declare it first: ${name} := …`);
    this.values[at] = value;
  }

  protected pipeline(pipeline: Pipeline, dot: Maybe): Maybe {
    let value: Final = MISSING;
    for (const command of pipeline.commands) {
      const result: Maybe = this.#command(command, dot, value);
      value = result === null ? undefined : result;
    }
    const result = value === MISSING ? undefined : value;
    for (const name of pipeline.variables) {
      if (pipeline.assigns) this.assign(pipeline, name, result);
      else {
        this.names.push(name);
        this.values.push(result);
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
        return this.error(command, 'nil is not a command');
    }
    if (args.length > 0 || final !== MISSING) {
      this.error(command, `${expressionText(first)} is not a function, so it takes no arguments`);
    }
    return this.#operand(first, dot);
  }

  #variable(
    name: string,
    fields: FieldPath,
    span: Span,
    args: readonly Operand[],
    dot: Maybe,
    final: Final,
  ): Maybe {
    const at = this.names.lastIndexOf(name);
    if (at < 0) this.error(span, `undefined variable ${name}`);
    const value = this.values[at];
    if (fields.length > 0) return this.#fields(value, fields, span, args, dot, final);
    if (args.length > 0 || final !== MISSING)
      this.error(span, `${name} is not a function, so it takes no arguments`);
    return value;
  }

  /** The value of an operand, if any type is accepted. */
  #operand(operand: Operand, dot: Maybe): Maybe {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'string':
        return operand.text;
      case 'bool':
        return operand.value;
      case 'number':
        if (operand.ideal === undefined) this.error(operand, 'number does not fit into a 64-bit int');
        return operand.ideal;
      case 'field':
        return this.#fields(dot, operand.fields, operand, [], dot, MISSING);
      case 'variable':
        return this.#variable(operand.name, operand.fields, operand, [], dot, MISSING);
      case 'pipeline': {
        if (this.depth >= this.maxDepth) this.tooDeep(operand);
        this.depth++;
        const value = this.pipeline(operand, dot);
        this.depth--;
        return value;
      }
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
    fields: FieldPath,
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
      this.error(span, `cannot read field ${name} of a missing value`, 'guard it with if, with or default');
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
      this.error(span, `type ${typeOf(receiver)} has no field ${name}`);
    }
    if (given !== undefined) this.error(span, `${name} is a field, so it takes no arguments`);
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
      this.error(span, `${name} takes ${wanted} argument${params.length === 1 ? '' : 's'}, not ${given}`);
    }
    if (name === 'and' || name === 'or') return this.#logic(name, args, dot, final);
    const values: Maybe[] = [];
    if (this.depth >= this.maxDepth) this.tooDeep(span);
    this.depth++;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if (arg !== undefined) values.push(this.#argument(arg, params[i] ?? rest ?? 'any', dot));
    }
    if (final !== MISSING) {
      values.push(this.#typed(final, params[values.length] ?? rest ?? 'any', span));
    }
    this.site = span;
    try {
      work(1);
      for (const value of values) if (typeof value === 'string') work(textWork(value.length));
      const result = fn.call(values, this);
      if (typeof result === 'string') {
        this.reserve(result.length);
        work(textWork(result.length));
      } else work((itemsOf(result)?.length ?? 0) / 4);
      this.depth--;
      return result;
    } catch (error) {
      if (error instanceof Failure) this.error(span, error.message);
      if (error instanceof RangeError && !error.message.startsWith('Maximum call stack')) {
        this.error(span, `the result of ${name} is too large`);
      }
      throw error;
    }
  }

  /** `and` and `or`: evaluation stops at the first argument that decides the result. */
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
          if (error instanceof Failure) this.error(operand, error.message);
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
      if (error instanceof Failure) this.error(span, error.message);
      throw error;
    }
  }
}
