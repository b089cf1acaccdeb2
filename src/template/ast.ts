import type { SourceText } from './errors.ts';
import type { NumberLiteral } from './literals.ts';
import type { GoFunction, Maybe } from './value.ts';

/** A range in a template's source: from `start` (inclusive) to `end` (exclusive), in UTF-16 units. */
export interface Span {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

/** Field names, as in `.a.b`. */
export type FieldPath = readonly string[];

export interface NumberOperand extends Span {
  readonly kind: 'number';
  readonly number: NumberLiteral;
  /** Its value if the parameter accepts any type; undefined if it does not fit into an int. */
  readonly ideal: Maybe;
}
export interface StringOperand extends Span {
  readonly kind: 'string';
  readonly text: string;
}
export interface FunctionOperand extends Span {
  readonly kind: 'function';
  readonly name: string;
  readonly fn: GoFunction;
}
export interface ChainOperand extends Span {
  readonly kind: 'chain';
  readonly of: Operand;
  readonly fields: FieldPath;
}

/**
 * One word of a command: a constant, a field, a variable, a function, a parenthesised pipeline, and so on.
 */
export type Operand =
  | NumberOperand
  | StringOperand
  | FunctionOperand
  | ChainOperand
  | Pipeline
  | (Span & { readonly kind: 'bool'; readonly value: boolean })
  | (Span & { readonly kind: 'nil' })
  | (Span & { readonly kind: 'dot' })
  | (Span & { readonly kind: 'field'; readonly fields: FieldPath })
  | (Span & { readonly kind: 'variable'; readonly name: string; readonly fields: FieldPath });

/** A function with its arguments, or a single value. */
export interface Command extends Span {
  readonly first: Operand;
  readonly args: readonly Operand[];
}

/**
 * Commands, each of which gets the value of the one before it as last argument. Declares or assigns variables
 * if it names any.
 */
export interface Pipeline extends Span {
  readonly kind: 'pipeline';
  readonly commands: readonly Command[];
  readonly variables: readonly string[];
  readonly assigns: boolean;
}

export type Statement =
  | (Span & { readonly kind: 'text'; readonly text: string })
  | ActionStatement
  | (Span & { readonly kind: 'break' | 'continue' })
  | ConditionStatement
  | RangeStatement
  | TemplateStatement;

export interface ActionStatement extends Span {
  readonly kind: 'action';
  readonly pipeline: Pipeline;
  /** Names of the variables that it reads, except `$`. */
  readonly reads: readonly string[];
}
export interface ConditionStatement extends Span {
  readonly kind: 'if' | 'with';
  readonly pipeline: Pipeline;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[] | undefined;
}
export interface RangeStatement extends Span {
  readonly kind: 'range';
  readonly pipeline: Pipeline;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[] | undefined;
}
export interface TemplateStatement extends Span {
  readonly kind: 'template';
  readonly name: string;
  readonly pipeline: Pipeline | undefined;
}

/** A named template: from `define`, from `block`, or a whole file. */
export interface TemplateDefinition {
  readonly name: string;
  readonly source: SourceText;
  readonly start: number;
  readonly body: readonly Statement[];
}

/**
 * Whether a body contains only whitespace. Such a definition does not replace another one of the same name.
 */
export function isEmpty(body: readonly Statement[]): boolean {
  return body.every((s) => s.kind === 'text' && /^[\s\u0085]*$/.test(s.text.replaceAll('\ufeff', 'x')));
}
