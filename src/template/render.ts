import type {
  ConditionStatement,
  RangeStatement,
  Span,
  Statement,
  TemplateDefinition,
  TemplateStatement,
} from './ast.ts';
import { TemplateError } from './errors.ts';
import { Evaluator } from './evaluate.ts';
import { print } from './fmt/print.ts';
import { type Frame, type MainFile, OutputBuffer } from './output.ts';
import { entriesOf, Failure, fail, isTrue, itemsOf, type Maybe, Sized, sortedKeys, typeOf } from './value.ts';
import { spend, stepLimitMessage, withStepBudget, work } from './work.ts';

/** Limits of one rendering. Exceeding one is an error at the place that exceeded it. */
export interface Limits {
  /**
   * Maximum nesting of blocks, template calls and function calls, counted together. The call stack limits
   * useful values: Node's default of 984 kB allows about 2000.
   */
  readonly depth: number;
  /**
   * Maximum size of the output, and of any single text or list made by a function. Counted in UTF-16 units,
   * so the number of bytes can be somewhat larger.
   */
  readonly outputBytes: number;
  /**
   * Maximum work: statements, function calls, and the elements and characters that functions process. One
   * step takes about 0.1 µs.
   */
  readonly steps: number;
}

/** The inputs of a rendering besides template and data. */
export interface RenderSettings {
  readonly env: ReadonlyMap<string, string>;
  readonly now: (() => bigint) | undefined;
  readonly limits: Limits;
  /** Called once for each place whose output can differ from run to run. */
  readonly warn: (site: Span, frame: Frame, reason: string) => void;
}

const Flows = { go: 0, break: 1, continue: 2 } as const;
type Flow = (typeof Flows)[keyof typeof Flows];

/** Whether the call stack overflowed. The regular expression engine reports it with a SyntaxError. */
function isOverflow(error: unknown): boolean {
  return (
    (error instanceof RangeError && error.message.startsWith('Maximum call stack')) ||
    (error instanceof SyntaxError && error.message.endsWith('Stack overflow'))
  );
}

/** Renders definitions into an output. Used for one rendering only. */
export class TemplateRenderer extends Evaluator {
  readonly env: ReadonlyMap<string, string>;
  output = new OutputBuffer();
  readonly #definitions: (name: string) => TemplateDefinition | undefined;
  readonly #surroundings: RenderSettings;
  /** The output of the latest include. If an action prints it unchanged, it keeps its origins. */
  #included: OutputBuffer | undefined;

  constructor(
    definitions: (name: string) => TemplateDefinition | undefined,
    data: Maybe,
    main: MainFile,
    surroundings: RenderSettings,
  ) {
    super(data, main, surroundings.limits.depth);
    this.#definitions = definitions;
    this.#surroundings = surroundings;
    this.env = surroundings.env;
  }

  /** Renders the main definition. */
  run(definition: TemplateDefinition): void {
    try {
      withStepBudget(this.#surroundings.limits.steps, () => this.#list(definition.body, this.frame.root));
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      const span = this.site ?? {
        source: definition.source,
        start: definition.start,
        end: definition.start,
      };
      // Thrown while printing the result of an action, so no function reported it.
      if (error instanceof Failure) this.error(span, error.message);
      if (isOverflow(error)) this.error(span, 'nesting is too deep for the call stack');
      throw error;
    }
  }

  #step(span: Span): void {
    if (!spend(1)) this.error(span, stepLimitMessage());
  }

  reserve(size: number | bigint): void {
    const { outputBytes } = this.#surroundings.limits;
    if (size > outputBytes) {
      fail(`the result would have ${size} characters or elements; the limit is ${outputBytes}`);
    }
  }

  now(): bigint {
    const { now, warn } = this.#surroundings;
    if (now === undefined) fail('the current time is not available here');
    if (this.site !== undefined) warn(this.site, this.frame, 'the output depends on the current time');
    return now();
  }

  include(name: string, data: Maybe): string {
    const definition = this.#definitions(name);
    if (definition === undefined) fail(`unknown template ${JSON.stringify(name)}`);
    const outer = this.output;
    const inner = new OutputBuffer();
    this.output = inner;
    const site = this.site;
    this.#call(definition, data ?? undefined, site ?? { source: definition.source, start: 0, end: 0 });
    this.site = site;
    this.output = outer;
    this.#included = inner;
    return inner.text;
  }

  #call(definition: TemplateDefinition, data: Maybe, site: Span): void {
    const frame = this.frame;
    const names = this.names;
    const values = this.values;
    this.frame = { root: data, site, name: definition.name, parent: frame, main: frame.main };
    this.names = ['$'];
    this.values = [data];
    this.#list(definition.body, data);
    this.frame = frame;
    this.names = names;
    this.values = values;
  }

  #room(span: Span, more: number): void {
    const { outputBytes } = this.#surroundings.limits;
    if (this.output.text.length + more > outputBytes)
      this.error(span, `the output exceeds the limit of ${outputBytes} bytes`);
  }

  #list(statements: readonly Statement[], dot: Maybe): Flow {
    let flow: Flow = Flows.go;
    for (const statement of statements) {
      if (this.depth >= this.maxDepth) this.tooDeep(statement);
      this.depth++;
      flow = this.#statement(statement, dot);
      this.depth--;
      if (flow !== Flows.go) break;
    }
    return flow;
  }

  #statement(statement: Statement, dot: Maybe): Flow {
    switch (statement.kind) {
      case 'text':
        this.#step(statement);
        this.#room(statement, statement.text.length);
        this.output.copy(statement.text, statement, this.frame);
        return Flows.go;
      case 'action': {
        this.#step(statement);
        const value = this.pipeline(statement.pipeline, dot);
        if (statement.pipeline.variables.length > 0) return Flows.go;
        this.site = statement;
        const text = value === undefined || value === null ? '<no value>' : print(value);
        this.#room(statement, text.length);
        const last = statement.pipeline.commands.at(-1)?.first;
        if (last?.kind === 'function' && last.name === 'include' && this.#included !== undefined) {
          this.output.splice(this.#included);
        } else {
          const { reads } = statement;
          const variables =
            reads.length === 0 ? [] : reads.map((name) => this.values[this.names.lastIndexOf(name)]);
          this.output.print(text, statement, this.frame, dot, variables);
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
    const mark = this.names.length;
    const value = this.pipeline(statement.pipeline, dot);
    let flow: Flow = Flows.go;
    if (isTrue(value)) flow = this.#list(statement.body, statement.kind === 'with' ? value : dot);
    else if (statement.otherwise !== undefined) flow = this.#list(statement.otherwise, dot);
    this.pop(mark);
    return flow;
  }

  #template(statement: TemplateStatement, dot: Maybe): void {
    this.#step(statement);
    const definition = this.#definitions(statement.name);
    if (definition === undefined) {
      this.error(statement, `unknown template ${JSON.stringify(statement.name)}`);
    }
    const data = statement.pipeline === undefined ? undefined : this.pipeline(statement.pipeline, dot);
    this.site = statement;
    this.#call(definition, data, statement);
  }

  #range(statement: RangeStatement, dot: Maybe): Flow {
    const outer = this.names.length;
    const value = this.pipeline(statement.pipeline, dot);
    const flow = this.#iterate(statement, value);
    if (flow === undefined && statement.otherwise !== undefined) {
      const result = this.#list(statement.otherwise, dot);
      this.pop(outer);
      // In an else block, `break` ends this range, and `continue` continues the enclosing range.
      return result === Flows.break ? Flows.go : result;
    }
    this.pop(outer);
    return Flows.go;
  }

  /** Runs the body for each element. Undefined if there are no elements. */
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
      work(entries.size);
      const sorted = sortedKeys(entries).map((key) => [key, entries.get(key) ?? null] as const);
      for (const [key, element] of sorted) {
        some = true;
        if (this.#iteration(statement, key, element) === Flows.break) break;
      }
      return some;
    }
    if (typeof value !== 'bigint' && !(value instanceof Sized)) {
      this.error(statement.pipeline, `cannot range over type ${typeOf(value)}`);
    }
    if (statement.pipeline.variables.length > 1) {
      this.error(statement.pipeline, 'a range over a number allows only one variable');
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
    const mark = this.names.length;
    const [first, second] = variables;
    if (assigns) {
      if (first !== undefined) this.assign(statement.pipeline, first, second === undefined ? element : index);
      if (second !== undefined) this.assign(statement.pipeline, second, element);
    } else if (first !== undefined) {
      this.values[mark - 1] = element;
      if (second !== undefined) this.values[mark - 2] = index;
    }
    // A range uses more of the call stack than other blocks.
    this.depth++;
    const flow = this.#list(statement.body, element);
    this.depth--;
    this.pop(mark);
    return flow;
  }
}
